// Threads and heap of this rank.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace reckon::train {

/// Threads of a rank that is not told: its share of the node's processors, at most those that it is bound to and OMP_NUM_THREADS.
int usual_threads(int node_processors, int node_ranks);
/// From now on kernels use so many threads.
void set_threads(int threads);
/// Freed activations stay with the process, because a step that asks the system for its memory anew pays a page fault for every 4 KiB; and the
/// heap asks for pages of 2 MiB, where the system has them, because products walk over columns.  To be called before anything large is allocated.
void prepare_heap();

}  // namespace reckon::train
