// Checked MPI calls and waiting that leaves the processor to others.
// SPDX-License-Identifier: Apache-2.0
#include "runtime/mpi_call.hpp"

#include <sched.h>
#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
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

bool is_crowded(MPI_Comm node) {
  int ranks = 1;
  check_mpi(MPI_Comm_size(node, &ranks), "MPI_Comm_size");
  cpu_set_t own;
  CPU_ZERO(&own);
  // Fails where the kernel knows more processors than the set holds: such a node is large enough for its ranks.
  const bool known = ::sched_getaffinity(0, sizeof own, &own) == 0;
  cpu_set_t all;
  CPU_ZERO(&all);
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallreduce(&own, &all, sizeof own, MPI_BYTE, MPI_BOR, node, &request), "MPI_Iallreduce");
  polite_wait(request);
  return known && ranks > CPU_COUNT(&all);
}

}  // namespace reckon
