// kernel_gpu_check: checks every CUDA kernel against the reference, times it, and writes one JSON file.
//
//   kernel_gpu_check OUT.json [--check-only] [--seconds S] [--shrink N]
//
// --seconds: of samples a timing (0.3); --shrink: divides the timed sizes, to try the program itself.
//
// Exit 0: all right.  1: a kernel is wrong.  2: bad arguments.  4: no device, or a timing that does not settle.  5: the file cannot be written.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>

#include "base/error.hpp"
#include "tests/kernels/gpu_check/gpu_check.hpp"

namespace reckon::check {
namespace {

Arguments parse(int count, char** words) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--check-only") arguments.check_only = true;
    else if (word == "--seconds" && i + 1 < count) arguments.seconds = std::atof(words[++i]);
    else if (word == "--shrink" && i + 1 < count) arguments.shrink = std::max(1, std::atoi(words[++i]));
    else if (arguments.file.empty() && word.rfind("--", 0) != 0) arguments.file = word;
    else throw UsageError("cannot use \"" + word + "\"", "kernel_gpu_check OUT.json [--check-only] [--seconds S]");
  }
  if (arguments.file.empty()) throw UsageError("no output file", "kernel_gpu_check OUT.json [--check-only] [--seconds S]");
  if (!(arguments.seconds > 0)) throw UsageError("--seconds takes a positive number", "--seconds 0.3");
  return arguments;
}

}  // namespace
}  // namespace reckon::check

int main(int count, char** words) {
  try {
    return reckon::check::gpu_check(reckon::check::parse(count, words));
  } catch (const reckon::Error& error) {
    std::cerr << "kernel_gpu_check: " << error.what() << "\n";
    return error.exit_code();
  } catch (const std::exception& error) {
    std::cerr << "kernel_gpu_check: " << error.what() << "\n";
    return 1;
  }
}
