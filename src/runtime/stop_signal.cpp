// SPDX-License-Identifier: Apache-2.0
#include "runtime/stop_signal.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <utility>

namespace reckon {
namespace {

constexpr std::array<std::pair<int, const char*>, 5> watched{
    {{SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"}, {SIGUSR1, "SIGUSR1"}, {SIGHUP, "SIGHUP"}, {SIGXCPU, "SIGXCPU"}}};

constexpr double least_notice = 10.0;  // before the end of a batch job: Slurm looks at its clock every 30 s and kills soon after

// The one thing that a handler may touch.
std::atomic<int> last_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);

void on_signal(int signal) { last_signal.store(signal, std::memory_order_relaxed); }

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

void catch_stop_signals() {
  // The handler gets a stack of its own: oneDNN's compiled GEMMs point the stack register into the heap (its issue 4845), and a frame
  // pushed there overwrites what lies below.  Linux gives a signal of the process to its first thread, whose stack this is.
  static std::array<std::byte, 65536> handler_stack;  // the state saved in a frame: AVX-512 2.7 KiB, AMX 11 KiB (CPUID leaf 0DH)
  stack_t stack{};
  stack.ss_sp = handler_stack.data();
  stack.ss_size = handler_stack.size();
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (const auto& [number, name] : watched) sigaction(number, &action, nullptr);
}

StopWatch::StopWatch(std::optional<double> limit_seconds, const Environment& environment) {
  if (limit_seconds) end_ = now() + *limit_seconds;
  if (const auto job_end = environment("SLURM_JOB_END_TIME")) {
    const double epoch = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    const double left = std::strtod(job_end->c_str(), nullptr) - epoch - least_notice;
    if (left > -3600.0 && (!end_ || now() + left < *end_)) end_ = now() + left;
  }
}

bool StopWatch::requested() const { return last_signal.load(std::memory_order_relaxed) != 0 || (end_ && now() >= *end_); }

std::string StopWatch::reason() const {
  const int signal = last_signal.load(std::memory_order_relaxed);
  for (const auto& [number, name] : watched)
    if (number == signal) return name;
  return requested() ? "the time limit" : "";
}

}  // namespace reckon
