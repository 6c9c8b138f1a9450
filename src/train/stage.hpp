// The layers of one rank, in chunks, and their forward and backward passes for a micro-batch.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>

#include "train/block.hpp"
#include "train/ends.hpp"
#include "train/pipeline_schedule.hpp"

namespace reckon::train {

/// Token indices of a micro-batch on this rank: inputs, and what follows each.
struct MicroBatch {
  std::vector<std::int32_t> tokens, targets;
};

template <class T>
class Stage {
 public:
  explicit Stage(const Scene<T>& scene);

  /// Takes part in one pass.  Activations come from the stage before and go to the one behind; messages leave in the background.
  /// The loss's sum is added to loss().  `training` keeps what the backward pass needs.
  void forward(const Action& action, const MicroBatch& batch, bool training);
  /// `scale` is what the loss's sum is multiplied by.
  void backward(const Action& action, const MicroBatch& batch, double scale);
  /// Waits until all messages have left.
  void finish();

  double loss() const { return loss_; }
  void clear_loss() { loss_ = 0; }
  std::vector<Unit<T>*> units();
  /// The table that the first and the last stage both hold, where they do.
  Unit<T>* shared_table();

 private:
  struct Chunk {
    std::vector<Block<T>> blocks;
  };
  struct ChunkKept {
    std::vector<BlockKept<T>> blocks;
    HeadKept<T> head;
  };
  bool begins(std::int64_t chunk) const { return chunk == 0 && embedding_; }
  bool ends(std::int64_t chunk) const { return chunk == std::int64_t(chunks_.size()) - 1 && head_; }
  Buffer<T> receive(std::int64_t from_global_chunk, int direction);
  void send(Buffer<T> rows, std::int64_t to_global_chunk, int direction);

  const Scene<T>* scene_;
  std::vector<Chunk> chunks_;
  std::optional<Embedding<T>> embedding_;
  std::optional<Head<T>> head_;
  std::map<std::pair<std::int64_t, std::int64_t>, ChunkKept> kept_;
  std::vector<std::pair<Buffer<T>, PendingMessage>> leaving_;
  double loss_ = 0;
};

}  // namespace reckon::train
