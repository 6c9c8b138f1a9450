// Threads of this rank's kernels.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace reckon::train {

/// Processors that this process may use, by its affinity and OMP_NUM_THREADS.
int processors();
/// From now on kernels use so many threads.
void set_threads(int threads);
/// Lets freed activations stay with the process: a step that asks the system for its memory anew pays a page fault for every 4 KiB.
void keep_freed_memory();

}  // namespace reckon::train
