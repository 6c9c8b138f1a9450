// A rank's layers and the messages between stages.
// SPDX-License-Identifier: Apache-2.0
#include "train/stage.hpp"

namespace reckon::train {
namespace {

enum Direction { downwards, upwards };

int tag_of(std::int64_t global_chunk, int direction) { return 100 + 2 * int(global_chunk) + direction; }

}  // namespace

template <class T>
Stage<T>::Stage(const Scene<T>& scene) : scene_(&scene) {
  const ProcessGrid& grid = *scene.grid;
  const std::int64_t chunks = scene.job->strategy.virtual_stages, stages = grid.pipeline.size();
  const std::int64_t layers = scene.model().num_layers / (chunks * stages);
  if (grid.first_stage()) embedding_.emplace(scene);
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    chunks_.emplace_back();
    const std::int64_t first = (chunk * stages + grid.pipeline.rank()) * layers;
    for (std::int64_t layer = first; layer < first + layers; ++layer) chunks_.back().blocks.emplace_back(scene, layer);
  }
  if (grid.last_stage()) head_.emplace(scene, scene.model().tied_embeddings && embedding_ ? &embedding_->table() : nullptr);
}

template <class T>
std::vector<Unit<T>*> Stage<T>::units() {
  std::vector<Unit<T>*> out;
  const auto append = [&](std::vector<Unit<T>*> more) { out.insert(out.end(), more.begin(), more.end()); };
  if (embedding_) append(embedding_->units());
  for (Chunk& chunk : chunks_) {
    for (Block<T>& block : chunk.blocks) append(block.units());
  }
  if (head_) append(head_->units());
  return out;
}

template <class T>
Unit<T>* Stage<T>::shared_table() {
  if (scene_->grid->pipeline.size() == 1 || !scene_->model().tied_embeddings) return nullptr;
  return embedding_ ? &embedding_->table() : head_ ? &head_->table() : nullptr;
}

/// Rows from the stage that holds the chunk before (downwards) or behind (upwards).
template <class T>
Buffer<T> Stage<T>::receive(std::int64_t from, int direction) {
  const Communicator& line = scene_->grid->pipeline;
  Buffer<T> rows(scene_->rows * scene_->hidden);
  settle();
  line.receive(rows.data(), rows.bytes(), int(from % line.size()), tag_of(from, direction)).wait();
  return rows;
}

template <class T>
void Stage<T>::send(Buffer<T> rows, std::int64_t to, int direction) {
  const Communicator& line = scene_->grid->pipeline;
  const std::int64_t own = direction == downwards ? to - 1 : to + 1;
  settle();
  PendingMessage message = line.send(rows.data(), rows.bytes(), int(to % line.size()), tag_of(own, direction));
  leaving_.emplace_back(std::move(rows), std::move(message));
}

template <class T>
void Stage<T>::finish() {
  for (auto& [rows, message] : leaving_) message.wait();
  leaving_.clear();
}

template <class T>
void Stage<T>::forward(const Action& action, const MicroBatch& batch, bool training) {
  const Communicator& line = scene_->grid->pipeline;
  const std::int64_t global_chunk = action.chunk * line.size() + line.rank();
  Buffer<T> rows = begins(action.chunk) ? embedding_->forward(batch.tokens) : receive(global_chunk - 1, downwards);
  ChunkKept kept;
  for (Block<T>& block : chunks_[std::size_t(action.chunk)].blocks) {
    kept.blocks.emplace_back();
    rows = block.forward(std::move(rows), kept.blocks.back());
    if (!training) kept.blocks.pop_back();
  }
  if (ends(action.chunk)) {
    loss_ += head_->forward(std::move(rows), batch.targets, training ? &kept.head : nullptr);
  } else {
    send(std::move(rows), global_chunk + 1, downwards);
  }
  if (training) kept_[{action.micro_batch, action.chunk}] = std::move(kept);
}

template <class T>
void Stage<T>::backward(const Action& action, const MicroBatch& batch, double scale) {
  const Communicator& line = scene_->grid->pipeline;
  const std::int64_t global_chunk = action.chunk * line.size() + line.rank();
  const auto at = kept_.find({action.micro_batch, action.chunk});
  ChunkKept kept = std::move(at->second);
  kept_.erase(at);
  Buffer<T> gradient = ends(action.chunk) ? head_->backward(batch.targets, scale, kept.head) : receive(global_chunk + 1, upwards);
  kept.head = {};
  std::vector<Block<T>>& blocks = chunks_[std::size_t(action.chunk)].blocks;
  for (std::size_t i = blocks.size(); i-- > 0;) {
    gradient = blocks[i].backward(std::move(gradient), kept.blocks[i]);
    kept.blocks.pop_back();
  }
  if (begins(action.chunk)) {
    embedding_->backward(batch.tokens, gradient);
  } else {
    send(std::move(gradient), global_chunk - 1, upwards);
  }
}

template class Stage<double>;
template class Stage<float>;
template class Stage<Bf16>;

}  // namespace reckon::train
