// Owners of HDF5 identifiers and the check of HDF5 calls.
// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_handle.hpp"

#include "base/error.hpp"

namespace reckon {
namespace {

/// Collects the messages of the error stack, outermost call first.
herr_t collect(unsigned, const H5E_error2_t* entry, void* text) {
  auto& out = *static_cast<std::string*>(text);
  if (entry->desc && *entry->desc) out += (out.empty() ? "" : "; ") + std::string(entry->desc);
  return 0;
}

}  // namespace

void silence_hdf5() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

void hdf5_fail(const std::string& file, const char* action) {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, collect, &text);
  H5Eclear2(H5E_DEFAULT);
  throw FileError(file, std::string("HDF5 cannot ") + action + ": " + (text.empty() ? "no reason given" : text));
}

}  // namespace reckon
