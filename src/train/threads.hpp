// Threads of this rank's kernels.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace reckon::train {

/// Processors that this process may use, by its affinity and OMP_NUM_THREADS.
int processors();
/// From now on kernels use so many threads.
void set_threads(int threads);
/// Lets freed activations stay with the process: a step that asks the system for its memory anew pays a page fault for every 4 KiB.
void keep_freed_memory();
/// Asks the system to hold the whole 2 MiB pages inside an array in one entry of the address translation each: products walk over columns.
/// Does nothing for arrays below 4 MiB, or where the system has no such pages.
void ask_for_large_pages(void* data, std::size_t bytes);

}  // namespace reckon::train
