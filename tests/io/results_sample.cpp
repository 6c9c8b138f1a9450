// Writes the sample results file to the path given, for read_results.py.
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "base/error.hpp"
#include "sample_image.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  try {
    reckon::Hdf5Image image = reckon::sample_image();
    save_hdf5(image, argv[1], true);
    return 0;
  } catch (const reckon::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
