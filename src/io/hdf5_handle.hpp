// Owners of HDF5 identifiers and the check that turns an HDF5 failure into an exception; internal to src/io.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hdf5.h>

#include <string>
#include <utility>

namespace reckon {

/// An HDF5 identifier with the function that closes it.
class Hdf5Handle {
 public:
  using Close = herr_t (*)(hid_t);

  Hdf5Handle() = default;
  Hdf5Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Hdf5Handle() {
    if (id_ >= 0) close_(id_);
  }

  hid_t get() const { return id_; }
  operator hid_t() const { return id_; }  // NOLINT: the C interface takes it everywhere

 private:
  hid_t id_ = H5I_INVALID_HID;
  Close close_ = nullptr;
};

/// Stops HDF5 from printing its error stack on stderr in this process.
void silence_hdf5();

/// Throws FileError(file, "HDF5 cannot <action>: <messages of the error stack>") and clears the stack.
[[noreturn]] void hdf5_fail(const std::string& file, const char* action);

/// `result`, or hdf5_fail when it is negative, as HDF5 reports failure.
template <class T>
T hdf5_check(T result, const std::string& file, const char* action) {
  if (result < 0) hdf5_fail(file, action);
  return result;
}

}  // namespace reckon
