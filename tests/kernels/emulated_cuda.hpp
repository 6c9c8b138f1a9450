// A CUDA device made of host code, enough to run the project's kernels where there is no GPU: every thread of a block is a fibre, barriers
// and warp shuffles hand over to the next one, blocks run one after another.
//
// It checks what the kernels compute: indexing, tails, reductions, barriers that not all threads reach.  It says nothing about speed,
// memory ordering between blocks, or the device's own arithmetic (expf, the rounding instruction).
// Included before a .cu file, which then compiles as C++.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

#define RECKON_EMULATED_DEVICE
#define __global__
#define __device__
#define __launch_bounds__(...)
#define __shared__ static

struct uint4 {
  unsigned x, y, z, w;
};
struct uint2 {
  unsigned x, y;
};
struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  dim3(unsigned x_, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
using cudaStream_t = void*;
using cudaError_t = int;
inline constexpr int cudaSuccess = 0;
inline int cudaGetLastError() { return cudaSuccess; }
inline const char* cudaGetErrorString(int) { return ""; }

namespace emulated {

struct Index {
  unsigned x = 0, y = 0, z = 0;
};
inline Index threadIdx, blockIdx;
inline dim3 blockDim{1}, gridDim{1};

/// The block that is running.  A thread is a fibre with its own stack, made once and used again by later blocks; after its first entry
/// control moves by _longjmp, which makes no system call.
class Block {
 public:
  /// Runs `body` as every thread of a block of `threads`.
  void run(unsigned threads, const std::function<void()>& body) {
    body_ = &body;
    while (fibres_.size() < threads) fibres_.push_back(std::make_unique<Fibre>());
    values_.assign(threads, 0.0f);
    shown_.assign(threads, nullptr);
    meetings_.assign(1 + (threads + 31) / 32, Meeting{});
    meetings_[0].members = threads;
    for (unsigned i = 0; i < threads; ++i) ++meetings_[1 + i / 32].members;
    for (unsigned i = 0; i < threads; ++i) fibres_[i]->begin();
    unsigned running = threads;
    while (running > 0) {
      bool moved = false;
      for (unsigned i = 0; i < threads; ++i) {
        if (fibres_[i]->done || !fibres_[i]->ready()) continue;
        moved = true;
        resume(i);
        if (fibres_[i]->done) --running;
      }
      if (!moved) {
        fibres_.clear();  // they are in the middle of the kernel
        throw std::logic_error("a barrier or shuffle that not all threads reach");
      }
    }
  }

  /// Waits until every thread of the group has arrived: of the block (group 0) or of the thread's warp (1 + its number).
  void arrive(std::size_t group) {
    Fibre& fibre = *fibres_[current_];
    Meeting& meeting = meetings_[group];
    fibre.waiting_for = &meeting;
    fibre.round = meeting.round;
    if (++meeting.arrived == meeting.members) {
      meeting.arrived = 0;
      ++meeting.round;
    }
    leave(fibre);
  }

  /// Shows `size` bytes at `mine` to the warp: `read(lane)` answers where another lane's are.  All have arrived before any reads, and all have
  /// read before any goes on.
  template <class Use>
  void exchange(const void* mine, const Use& use) {
    const unsigned self = current_, first = self / 32 * 32;
    shown_[self] = mine;
    arrive(1 + self / 32);
    use([&](unsigned lane) { return shown_[first + lane]; });
    arrive(1 + self / 32);
  }
  unsigned lane() const { return current_ % 32; }

  float shuffle_xor(float value, unsigned distance) {
    const unsigned self = current_;
    values_[self] = value;
    arrive(1 + self / 32);
    const float other = values_[self ^ distance];
    arrive(1 + self / 32);  // all have read
    return other;
  }

 private:
  /// Where threads wait for each other.
  struct Meeting {
    unsigned members = 0, arrived = 0;
    std::uint64_t round = 0;
  };
  struct Fibre {
    std::vector<char> stack = std::vector<char>(64 * 1024);
    ucontext_t context;
    jmp_buf place;
    bool entered = false, done = false;
    const Meeting* waiting_for = nullptr;
    std::uint64_t round = 0;  // of the meeting, when this thread arrived
    void begin() {
      done = false;
      waiting_for = nullptr;
    }
    /// A thread that waits may go on when its whole group has arrived; a thread that has ended never arrives.
    bool ready() const { return waiting_for == nullptr || waiting_for->round != round; }
  };

  void resume(unsigned i) {
    current_ = i;
    threadIdx = {i, 0, 0};
    Fibre& fibre = *fibres_[i];
    if (_setjmp(scheduler_) != 0) return;
    if (fibre.entered) _longjmp(fibre.place, 1);
    fibre.entered = true;
    getcontext(&fibre.context);
    fibre.context.uc_stack.ss_sp = fibre.stack.data();
    fibre.context.uc_stack.ss_size = fibre.stack.size();
    fibre.context.uc_link = nullptr;
    makecontext(&fibre.context, &Block::enter, 0);
    setcontext(&fibre.context);
  }

  void leave(Fibre& fibre) {
    if (_setjmp(fibre.place) == 0) _longjmp(scheduler_, 1);
  }

  /// A fibre's life: one thread of one block after another.
  static void enter();

  const std::function<void()>* body_ = nullptr;
  std::vector<std::unique_ptr<Fibre>> fibres_;
  std::vector<Meeting> meetings_;
  std::vector<float> values_;
  std::vector<const void*> shown_;
  jmp_buf scheduler_;
  unsigned current_ = 0;
};

inline Block block;
inline void Block::enter() {
  for (;;) {
    (*block.body_)();
    Fibre& fibre = *block.fibres_[block.current_];
    fibre.done = true;
    block.leave(fibre);
  }
}

inline float from_bf16(unsigned bits) {
  const std::uint32_t wide = (bits & 0xffffu) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

/// mma.m16n8k16, row.col, bf16 with fp32 sums, by the fragment layout of the PTX ISA.
inline void mma(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  struct Words {
    unsigned a[4], b[2];
  } mine{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
  block.exchange(&mine, [&](const auto& of) {
    const unsigned self = block.lane();
    for (unsigned e = 0; e < 4; ++e) {
      const unsigned row = self / 4 + (e / 2) * 8, column = self % 4 * 2 + e % 2;
      for (unsigned k = 0; k < 16; ++k) {
        const auto* left = static_cast<const Words*>(of(row % 8 * 4 + k % 8 / 2));
        const auto* right = static_cast<const Words*>(of(column * 4 + k % 8 / 2));
        const unsigned x = left->a[row / 8 + k / 8 * 2] >> (k % 2 * 16), y = right->b[k / 8] >> (k % 2 * 16);
        c[e] += from_bf16(x) * from_bf16(y);
      }
    }
  });
}

/// ldmatrix: lane 8 i + r names row r of matrix i; a lane gets elements 2 t and 2 t + 1 of row g, or of column g when transposed.
inline void load_matrices(unsigned* word, unsigned count, bool transposed, const void* row) {
  if (reinterpret_cast<std::uintptr_t>(row) % 16 != 0) throw std::logic_error("a row of ldmatrix that does not lie on 16 bytes");
  block.exchange(row, [&](const auto& of) {
    const unsigned g = block.lane() / 4, t = block.lane() % 4;
    for (unsigned i = 0; i < count; ++i) {
      std::uint16_t pair[2];
      for (unsigned j = 0; j < 2; ++j) {
        const unsigned from_row = transposed ? 2 * t + j : g, from_column = transposed ? g : 2 * t + j;
        std::memcpy(&pair[j], static_cast<const char*>(of(8 * i + from_row)) + 2 * from_column, 2);
      }
      word[i] = pair[0] | unsigned(pair[1]) << 16;
    }
  });
}

template <class Kernel>
void launch(dim3 grid, dim3 threads, const Kernel& kernel) {
  if (grid.x == 0 || grid.y == 0 || threads.x == 0 || threads.x > 1024) throw std::logic_error("a launch that CUDA refuses");
  gridDim = grid;
  blockDim = threads;
  const std::function<void()> body = kernel;
  for (unsigned y = 0; y < grid.y; ++y) {
    for (unsigned x = 0; x < grid.x; ++x) {
      blockIdx = {x, y, 0};
      block.run(threads.x, body);
    }
  }
}

}  // namespace emulated

using emulated::blockDim;
using emulated::blockIdx;
using emulated::gridDim;
using emulated::threadIdx;
inline void __syncthreads() { emulated::block.arrive(0); }
inline float __shfl_xor_sync(unsigned, float value, unsigned distance) { return emulated::block.shuffle_xor(value, distance); }

#define RECKON_UNWRAP(...) __VA_ARGS__
#define RECKON_LAUNCH(kernel, grid, threads, queue, ...) \
  ((void)(queue), emulated::launch(grid, threads, [&] { RECKON_UNWRAP kernel(__VA_ARGS__); }))
