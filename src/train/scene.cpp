// The shape of a micro-batch on a rank.
// SPDX-License-Identifier: Apache-2.0
#include "train/scene.hpp"

namespace reckon::train {

std::vector<Segment> context_segments(std::int64_t seq_len, std::int64_t ranks, std::int64_t rank) {
  if (ranks == 1) return {{0, 0, seq_len}};
  const std::int64_t piece = seq_len / (2 * ranks);
  return {{0, rank * piece, piece}, {piece, (2 * ranks - 1 - rank) * piece, piece}};
}

template <class T>
Scene<T>::Scene(const ProcessGrid& process_grid, const TrainingJob& training_job) : grid(&process_grid), job(&training_job) {
  const Strategy& s = training_job.strategy;
  const Transformer& m = training_job.model();
  const std::int64_t tensor = process_grid.tensor.size(), context = process_grid.context.size();
  micro_batch = s.micro_batch_size;
  local_seq = training_job.seq_len / context;
  tokens = micro_batch * local_seq;
  scattered = s.sequence_parallel && tensor > 1;
  rows = scattered ? tokens / tensor : tokens;
  hidden = m.hidden_size;
  heads = m.num_heads / tensor;
  kv_heads = m.num_kv_heads / tensor;
  head_dim = m.head_dim;
  std::vector<std::int64_t> local;
  for (const Segment& segment : context_segments(training_job.seq_len, context, process_grid.context.rank())) {
    for (std::int64_t i = 0; i < segment.length; ++i) local.push_back(segment.position + i);
  }
  std::vector<std::int32_t> places;
  for (std::int64_t b = 0; b < micro_batch; ++b) places.insert(places.end(), local.begin(), local.end());
  positions = uploaded(places);
  if (m.positions != PositionKind::rotary) return;
  const RotaryTables<Accumulator<T>> tables = rotary_tables<Accumulator<T>>(local, head_dim);
  cosine = uploaded(tables.cosine);
  sine = uploaded(tables.sine);
}

template struct Scene<double>;
template struct Scene<float>;
template struct Scene<Bf16>;

}  // namespace reckon::train
