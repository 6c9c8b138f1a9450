// The program under fault: writes TARGET as text in pieces or as a results file, and ends with the status of its error.
// usage: fault_writer text|hdf5 TARGET new|replace
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <string>

#include "base/error.hpp"
#include "io/atomic_file.hpp"
#include "sample_image.hpp"

int main(int argc, char** argv) {
  if (argc != 4) return 64;
  const std::string kind = argv[1], target = argv[2];
  const bool overwrite = std::string(argv[3]) == "replace";
  try {
    if (kind == "hdf5") {
      reckon::Hdf5Image image = reckon::sample_image();
      save_hdf5(image, target, overwrite);
    } else {
      reckon::AtomicFile file(target, overwrite);
      for (int i = 0; i < 4; ++i) file.write(std::string(5000, static_cast<char>('a' + i)));
      file.commit();
    }
    return 0;
  } catch (const reckon::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
