// Checked MPI calls and waiting that leaves the processor to others.
// SPDX-License-Identifier: Apache-2.0
#include "runtime/mpi_call.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "base/error.hpp"

namespace reckon {
namespace {

bool crowded_node = true;  // of the process; written once, when MPI has begun

}  // namespace

void check_mpi(int result, const char* call) {
  if (result == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(result, text, &length);
  throw MpiError(std::string(call) + " failed: " + text);
}

void polite_wait(MPI_Request& request) {
  using Clock = std::chrono::steady_clock;
  using std::chrono::microseconds;
  const auto arrived = [&request] {
    int done = 0;
    check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    return done != 0;
  };
  if (arrived()) return;
  const auto start = Clock::now();
  do {
    const auto waited = Clock::now() - start;
    if (waited < (crowded_node ? microseconds(15) : microseconds(2000)))
      ::sched_yield();
    else
      std::this_thread::sleep_for(std::clamp<Clock::duration>(waited / 64, microseconds(20), microseconds(200)));
  } while (!arrived());
}

void set_crowded(bool crowded) {
  crowded_node = crowded;
  ::prctl(PR_SET_TIMERSLACK, 1000UL);  // ns; the kernel's 50,000 would more than double the shortest sleeps
}

namespace {

/// Nothing where the kernel knows more processors than the set holds.
std::optional<cpu_set_t> affinity() {
  cpu_set_t own;
  CPU_ZERO(&own);
  if (::sched_getaffinity(0, sizeof own, &own) != 0) return std::nullopt;
  return own;
}

int all_processors() { return int(::sysconf(_SC_NPROCESSORS_ONLN)); }

}  // namespace

int own_processors() {
  const std::optional<cpu_set_t> own = affinity();
  return own ? CPU_COUNT(&*own) : all_processors();
}

int processors_of(MPI_Comm node) {
  const std::optional<cpu_set_t> known = affinity();
  cpu_set_t own, all;
  CPU_ZERO(&own);
  CPU_ZERO(&all);
  if (known) own = *known;
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallreduce(&own, &all, sizeof own, MPI_BYTE, MPI_BOR, node, &request), "MPI_Iallreduce");
  polite_wait(request);
  return known ? CPU_COUNT(&all) : all_processors();
}

}  // namespace reckon
