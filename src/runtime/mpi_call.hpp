// Checked MPI calls and waiting that leaves the processor to others.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mpi.h>

namespace reckon {

/// Throws MpiError with MPI's own words unless `result` is MPI_SUCCESS; communicators return errors in a session (MPI_ERRORS_RETURN).
void check_mpi(int result, const char* call);

/// Waits until `request` is done: MPI_Test with sched_yield between for a while, then with sleeps of a 64th of the wait so far (20 to 200 us).
///
/// The while is 2 ms where every rank of the node has a processor, and 15 us where ranks take turns, since there a rank that yields leaves the
/// processor for a whole time slice and hears of its message at the end of it only.  Medians, 16 and 65,536 floats summed after 1 to 2 ms of
/// products (Xeon, 2 processors): 2 ranks 3 and 110 us, with sleeps from 15 us on 70 and 720; 4 ranks in turns 70 and 830 us, with 2 ms of
/// yields 500 and 1,250.  MPICH's own waiting never yields: an 8-byte all-reduce of 4 ranks on 2 processors takes 9 ms, of 8 ranks 32.
void polite_wait(MPI_Request& request);

/// Whether ranks of this node take turns on its processors; until it is told, polite_wait supposes so.  Sleeps become exact to 1 us.
void set_crowded(bool crowded);

/// Whether `node`'s ranks outnumber the processors that they may run on together.  Collective.
bool is_crowded(MPI_Comm node);

}  // namespace reckon
