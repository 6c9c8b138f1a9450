// What all layers of a rank know: the grid, the shape of a micro-batch here, and the way into and out of tensor-parallel regions.
//
// Tokens of a micro-batch are rows (sequence by sequence).  With sequence parallelism each tensor rank holds an equal run of the rows
// between the products; entering a tensor-parallel region gathers them, leaving it sums partial results and scatters the rows (Korthikanti
// et al. 2022, arXiv 2205.05198, section 4.2.2).  Without, entering costs nothing and leaving sums over the ranks. SPDX-License-Identifier:
// Apache-2.0
#pragma once

#include <vector>

#include "kernels/op/embedding.hpp"
#include "train/buffer.hpp"
#include "train/process_grid.hpp"
#include "train/training_job.hpp"

namespace reckon::train {

/// A run of a sequence that lies on one rank: `length` tokens from `position`, behind `first` others of the rank.
struct Segment {
  std::int64_t first = 0, position = 0, length = 0;
};

/// The sequence of context rank `rank` of `ranks`: piece `rank` and piece 2 ranks - 1 - rank of 2 ranks equal ones, so that a causal mask
/// gives every rank the same work.  One whole piece where there is one rank.
std::vector<Segment> context_segments(std::int64_t seq_len, std::int64_t ranks, std::int64_t rank);

template <class T>
struct Scene {
  Scene(const ProcessGrid& process_grid, const TrainingJob& training_job);

  const ProcessGrid* grid;
  const TrainingJob* job;
  std::int64_t micro_batch, local_seq;             ///< sequences of a micro-batch, and how many of each one's tokens are here
  std::int64_t tokens, rows;                       ///< rows inside and outside tensor-parallel regions
  std::int64_t hidden, heads, kv_heads, head_dim;  ///< heads of this tensor rank
  Buffer<std::int32_t> positions;                  ///< of each token
  Buffer<Accumulator<T>> cosine, sine;             ///< of the rotary angles, a row for each token of the local sequence; empty without
  bool scattered;                                  ///< rows are divided among the tensor ranks

  const Transformer& model() const { return job->model(); }
  std::int64_t tensor_ranks() const { return grid->tensor.size(); }
};

/// Rows inside a tensor-parallel region: gathered, or those outside where that is the same.
template <class T>
struct Entered {
  Buffer<T> room;
  const T* data = nullptr;
};
template <class T>
Entered<T> enter(const Scene<T>& scene, const T* outside, std::int64_t width) {
  if (!scene.scattered) return {{}, outside};
  Entered<T> inside{Buffer<T>(scene.tokens * width), nullptr};
  gather_over(scene.grid->tensor, outside, inside.room.data(), std::size_t(scene.rows * width) * sizeof(T));
  inside.data = inside.room.data();
  return inside;
}

/// Rows outside, from each tensor rank's part of a sum.
template <class T>
Buffer<T> leave(const Scene<T>& scene, Buffer<T> partial, std::int64_t width) {
  if (!scene.scattered) {
    all_reduce(scene.grid->tensor, partial.data(), scene.tokens * width);
    return partial;
  }
  Buffer<T> outside(scene.rows * width);
  reduce_scatter(scene.grid->tensor, partial.data(), outside.data(), scene.rows * width);
  return outside;
}

}  // namespace reckon::train
