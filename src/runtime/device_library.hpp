// A shared library opened at run time: CUDA's companions that a program should start without.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <dlfcn.h>

#include <memory>
#include <string>
#include <vector>

namespace reckon {

/// Opens the first of `names` that is found.  Stays open as long as the object lives.
class DeviceLibrary {
 public:
  explicit DeviceLibrary(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      handle_.reset(::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL));
      if (handle_) return;
      if (absence_.empty()) absence_ = ::dlerror();  // the plain name's: the one that a user can act on
    }
  }

  explicit operator bool() const noexcept { return handle_ != nullptr; }
  const std::string& absence() const noexcept { return absence_; }  ///< the loader's reason, of the first name

  /// The function `symbol`, or null.
  template <class Function>
  Function* find(const char* symbol) const noexcept {
    return handle_ ? reinterpret_cast<Function*>(::dlsym(handle_.get(), symbol)) : nullptr;
  }

 private:
  struct Close {
    void operator()(void* handle) const noexcept { ::dlclose(handle); }
  };
  std::unique_ptr<void, Close> handle_;
  std::string absence_;
};

}  // namespace reckon
