// Checked MPI calls and waiting that leaves the processor to others.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mpi.h>

namespace reckon {

/// Throws MpiError with MPI's own words unless `result` is MPI_SUCCESS; communicators return errors in a session (MPI_ERRORS_RETURN).
void check_mpi(int result, const char* call);

/// Waits until `request` is done: MPI_Test with sched_yield between for a while, then with sleeps of a 64th of the wait so far (20 to 200 us).
///
/// The while is 2 ms where every rank of the node has a processor: 2 ranks on 2 processors sum 16 floats in 3 us and 65,536 in 110 after 2 ms
/// of products, with sleeps of 50 us from the start in 160 and 720.  Where ranks take turns it is 15 us.  There yields would serve sums among
/// ranks that all work (4 ranks on 2 processors, 16 floats: 0.1 ms against 0.3 to 1.0), but a rank that yields counts as work to the
/// scheduler, which then lets two ranks with work share a processor: a pipeline of 4 ranks took 377 ms a step for 310.  MPICH's own waiting
/// never yields: an 8-byte all-reduce of 4 ranks on 2 processors takes 9 ms, of 8 ranks 32.
void polite_wait(MPI_Request& request);

/// Whether ranks of this node take turns on its processors; until it is told, polite_wait supposes so.  Sleeps become exact to 1 us.
void set_crowded(bool crowded);

/// Processors that this process may run on, by its affinity.
int own_processors();

/// Processors that the ranks of `node` may run on together, whether each is bound to its own or all roam.  Collective.
int processors_of(MPI_Comm node);

}  // namespace reckon
