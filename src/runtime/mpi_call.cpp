// Checked MPI calls and waiting that leaves the processor to others.
// SPDX-License-Identifier: Apache-2.0
#include "runtime/mpi_call.hpp"

#include <sched.h>
#include <time.h>

#include <string>

#include "base/error.hpp"

namespace reckon {

void check_mpi(int result, const char* call) {
  if (result == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(result, text, &length);
  throw MpiError(std::string(call) + " failed: " + text);
}

void polite_wait(MPI_Request& request, int yields) {
  constexpr timespec pause{0, 50'000};
  int done = 0;
  check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
  for (int tries = 0; !done; ++tries) {
    if (tries < yields)
      ::sched_yield();
    else
      ::nanosleep(&pause, nullptr);
    check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
  }
}

}  // namespace reckon
