// Threads and memory of this process.
// SPDX-License-Identifier: Apache-2.0
#include "train/threads.hpp"

#include <malloc.h>
#include <omp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <vector>

namespace reckon::train {

int usual_threads(int node_processors, int node_ranks) {
  return std::max(1, std::min({omp_get_num_procs(), omp_get_max_threads(), node_processors / node_ranks}));
}
void set_threads(int threads) { omp_set_num_threads(threads); }

namespace {

constexpr std::uintptr_t large_page = std::uintptr_t(2) << 20;

void ask_for_large_pages(void* data, std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  const std::uintptr_t first = (reinterpret_cast<std::uintptr_t>(data) + large_page - 1) / large_page * large_page,
                       last = (reinterpret_cast<std::uintptr_t>(data) + bytes) / large_page * large_page;
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#endif
}

/// Address space that may be taken without being used: none where it is rationed (`ulimit -v`) or counted as used (strict overcommit).
std::size_t free_address_space() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY) return 0;
  if (getrlimit(RLIMIT_DATA, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY) return 0;
  char mode = '2';
  std::ifstream("/proc/sys/vm/overcommit_memory") >> mode;
  if (mode == '2') return 0;
  return std::size_t(sysconf(_SC_PHYS_PAGES)) * std::size_t(sysconf(_SC_PAGESIZE)) / 2;
}

}  // namespace

void prepare_heap() {
#ifdef M_MMAP_THRESHOLD
  mallopt(M_MMAP_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);
  // malloc asks for no large pages by itself: it gets a heap that has asked for them before a page of it is touched
  constexpr std::size_t size = std::size_t(1) << 30;
  std::vector<void*> pieces;
  for (std::size_t left = free_address_space(); left >= size; left -= size) {
    void* const piece = std::malloc(size);
    if (piece == nullptr) break;
    ask_for_large_pages(piece, size);
    pieces.push_back(piece);
  }
  for (void* piece : pieces) std::free(piece);
#endif
}

}  // namespace reckon::train
