// Threads and memory of this process.
// SPDX-License-Identifier: Apache-2.0
#include "train/threads.hpp"

#include <malloc.h>
#include <omp.h>

#include <algorithm>
#include <limits>

namespace reckon::train {

int processors() { return std::min(omp_get_num_procs(), omp_get_max_threads()); }
void set_threads(int threads) { omp_set_num_threads(threads); }

void keep_freed_memory() {
#ifdef M_MMAP_THRESHOLD
  mallopt(M_MMAP_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

}  // namespace reckon::train
