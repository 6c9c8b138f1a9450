// Everything that kernel_gpu_check does, behind its arguments.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace reckon::check {

struct Arguments {
  std::string file;
  bool check_only = false;
  double seconds = 0.3;     ///< of samples a timing
  int samples = 40;          ///< of a timing, at least
  int tries = 5;             ///< of a timing that does not settle
  long long shrink = 1;      ///< divides the large sizes, timed and checked, to try the program itself
};

/// Checks and times the kernels on the first device and writes `file`; progress and a table go to standard output.
/// 0: all right; 1: a kernel is wrong.  Throws DeviceError without a device or when a timing does not settle (the file is written then),
/// FileError when the file cannot be written.
int gpu_check(const Arguments& arguments);

}  // namespace reckon::check
