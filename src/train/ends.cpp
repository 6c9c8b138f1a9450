// Embedding and head.
// SPDX-License-Identifier: Apache-2.0
#include "train/ends.hpp"

#include <cmath>

#include "kernels/op/cross_entropy.hpp"

namespace reckon::train {

VocabularyPart vocabulary_part(std::int64_t vocabulary, std::int64_t ranks, std::int64_t rank) {
  const std::int64_t piece = (vocabulary + ranks - 1) / ranks, first = std::min(vocabulary, rank * piece);
  return {first, std::min(piece, vocabulary - first)};
}

template <class T>
std::unique_ptr<Unit<T>> make_table(const Scene<T>& s, const std::string& name) {
  const Transformer& m = s.model();
  const VocabularyPart part = vocabulary_part(m.vocab_size, s.tensor_ranks(), s.grid->tensor.rank());
  const Parameter table{
      .name = "weight", .rows = part.count, .columns = m.hidden_size, .row = part.first, .all_columns = m.hidden_size, .deviation = 0.02};
  auto unit = std::make_unique<Unit<T>>(name, std::vector<Parameter>{table}, s.grid->replicas, s.grid->tensor, s.job->strategy.sharding,
                                        s.job->optimizer.kind);
  unit->initialize(s.job->seed);
  return unit;
}

template <class T>
Embedding<T>::Embedding(const Scene<T>& s)
    : scene_(&s), part_(vocabulary_part(s.model().vocab_size, s.tensor_ranks(), s.grid->tensor.rank())), table_(make_table(s, "tokens")) {
  const Transformer& m = s.model();
  if (m.positions != PositionKind::learned) return;
  const Parameter positions{.name = "weight",
                            .rows = m.max_positions,
                            .columns = m.hidden_size,
                            .all_columns = m.hidden_size,
                            .deviation = 0.02,
                            .tensor_partial = s.scattered,
                            .tensor_replicated = true};
  positions_ = std::make_unique<Unit<T>>("positions", std::vector<Parameter>{positions}, s.grid->replicas, s.grid->tensor,
                                         s.job->strategy.sharding, s.job->optimizer.kind);
  positions_->initialize(s.job->seed);
}

template <class T>
std::vector<Unit<T>*> Embedding<T>::units() {
  std::vector<Unit<T>*> out{table_.get()};
  if (positions_) out.push_back(positions_.get());
  return out;
}

/// The positions of the rows outside: this tensor rank's run of them where they are divided.
template <class T>
const std::int32_t* Embedding<T>::row_positions() const {
  return scene_->positions.data() + (scene_->scattered ? scene_->grid->tensor.rank() * scene_->rows : 0);
}

template <class T>
Buffer<T> Embedding<T>::forward(const std::vector<std::int32_t>& tokens) {
  const Scene<T>& s = *scene_;
  Buffer<T> inside(s.tokens * s.hidden);
  const Buffer<std::int32_t> index = uploaded(tokens);
  run(EmbeddingForward<T>{.tokens = s.tokens,
                          .columns = s.hidden,
                          .first_row = part_.first,
                          .table_rows = part_.count,
                          .index = index.data(),
                          .table = table_->weight(0),
                          .out = inside.data()});
  Buffer<T> out = leave(s, std::move(inside), s.hidden);
  if (positions_) {
    run(EmbeddingForward<T>{.tokens = s.rows,
                            .columns = s.hidden,
                            .table_rows = s.model().max_positions,
                            .index = row_positions(),
                            .table = positions_->weight(0),
                            .out = out.data(),
                            .accumulate = true});
  }
  for (Unit<T>* unit : units()) unit->release();
  return out;
}

template <class T>
void Embedding<T>::backward(const std::vector<std::int32_t>& tokens, const Buffer<T>& dout) {
  const Scene<T>& s = *scene_;
  const auto add = [&](Unit<T>& unit, std::int64_t rows, std::int64_t first, const std::int32_t* index, const T* gradient) {
    const Parameter& p = unit.parameters()[0];
    Accumulator<T>* table = unit.gradient(0);
    if (unit.first_gradient(0)) clear_bytes(table, std::size_t(p.count()) * sizeof(Accumulator<T>));
    run(EmbeddingBackward<T>{
        .tokens = rows, .columns = s.hidden, .first_row = first, .table_rows = p.rows, .index = index, .dout = gradient, .dtable = table});
  };
  if (positions_) add(*positions_, s.rows, 0, row_positions(), dout.data());
  const Entered<T> inside = enter(s, dout.data(), s.hidden);
  const Buffer<std::int32_t> index = uploaded(tokens);
  add(*table_, s.tokens, part_.first, index.data(), inside.data);
  for (Unit<T>* unit : units()) unit->release_after_backward();
}

template <class T>
Head<T>::Head(const Scene<T>& s, Unit<T>* tied)
    : scene_(&s), tied_(tied), part_(vocabulary_part(s.model().vocab_size, s.tensor_ranks(), s.grid->tensor.rank())) {
  const Transformer& m = s.model();
  norm_ = {0, m.norm == NormKind::layer_norm};
  std::vector<Parameter> list;
  const Parameter one{.name = "norm.weight",
                      .columns = m.hidden_size,
                      .all_columns = m.hidden_size,
                      .constant = 1.0,
                      .decays = false,
                      .tensor_partial = s.scattered,
                      .tensor_replicated = true};
  list.push_back(one);
  if (norm_.centred) {
    list.push_back(one);
    list.back().name = "norm.bias";
    list.back().constant = 0.0;
  }
  final_norm_ = std::make_unique<Unit<T>>("final", std::move(list), s.grid->replicas, s.grid->tensor, s.job->strategy.sharding,
                                          s.job->optimizer.kind);
  final_norm_->initialize(s.job->seed);
  if (tied_ == nullptr) {
    // A tied table on another stage than the input's starts from the same values, and stays equal: their gradients are summed.
    own_table_ = make_table(s, m.tied_embeddings ? "tokens" : "head");
    own_table_->counted = !m.tied_embeddings;
  }
  linear_ = {.out = part_.count, .in = m.hidden_size};
}

template <class T>
std::vector<Unit<T>*> Head<T>::units() {
  std::vector<Unit<T>*> out{final_norm_.get()};
  if (own_table_) out.push_back(own_table_.get());
  return out;
}

template <class T>
double Head<T>::forward(Buffer<T> x, const std::vector<std::int32_t>& targets, HeadKept<T>* kept) {
  using A = Accumulator<T>;
  const Scene<T>& s = *scene_;
  HeadKept<T> now;
  now.x = std::move(x);
  now.normed = norm_forward(norm_, *final_norm_, now.x.data(), s.rows, s.hidden, now.norm);
  const Entered<T> inside = enter(s, now.normed.data(), s.hidden);
  now.logits = linear_forward(linear_, table(), inside.data, s.tokens);
  now.maximum = Buffer<A>(s.tokens);
  now.sum = Buffer<A>(2 * s.tokens);  // the target logits behind the sums: one message
  A* logit = now.sum.data() + s.tokens;
  const Buffer<std::int32_t> wanted = uploaded(targets);
  run(CrossEntropyForward<T>{.rows = s.tokens,
                             .columns = part_.count,
                             .stride = part_.count,
                             .first_column = part_.first,
                             .x = now.logits.data(),
                             .target = wanted.data(),
                             .maximum = now.maximum.data(),
                             .sum = now.sum.data(),
                             .target_logit = logit});
  settle();
  if (s.tensor_ranks() > 1) {
    const Buffer<A> own = now.maximum.copy();
    settle();
    s.grid->tensor.all_reduce_max(now.maximum.data(), s.tokens);
    for (std::int64_t t = 0; t < s.tokens; ++t) now.sum.data()[t] *= std::exp(own.data()[t] - now.maximum.data()[t]);
    s.grid->tensor.all_reduce_sum(now.sum.data(), 2 * s.tokens);
  }
  double loss = 0;
  for (std::int64_t t = 0; t < s.tokens; ++t)
    loss += std::log(double(now.sum.data()[t])) + double(now.maximum.data()[t]) - double(logit[t]);
  if (kept != nullptr) *kept = std::move(now);
  for (Unit<T>* unit : units()) unit->release();
  table().release();
  return loss;
}

template <class T>
Buffer<T> Head<T>::backward(const std::vector<std::int32_t>& targets, double scale, HeadKept<T>& kept) {
  const Scene<T>& s = *scene_;
  const Buffer<std::int32_t> wanted = uploaded(targets);
  run(CrossEntropyBackward<T>{.rows = s.tokens,
                              .columns = part_.count,
                              .stride = part_.count,
                              .first_column = part_.first,
                              .scale = scale,
                              .x = kept.logits.data(),
                              .target = wanted.data(),
                              .maximum = kept.maximum.data(),
                              .sum = kept.sum.data(),
                              .dx = kept.logits.data()});
  const Entered<T> inside = enter(s, kept.normed.data(), s.hidden);
  weight_backward(linear_, table(), inside.data, kept.logits.data(), s.tokens);
  const Buffer<T> dnormed = leave(s, input_backward(linear_, table(), kept.logits.data(), s.tokens), s.hidden);
  Buffer<T> dx = norm_backward(norm_, *final_norm_, kept.x.data(), dnormed.data(), s.rows, s.hidden, kept.norm);
  for (Unit<T>* unit : units()) unit->release_after_backward();
  if (tied_ != nullptr) tied_->release();
  return dx;
}

template std::unique_ptr<Unit<double>> make_table(const Scene<double>&, const std::string&);
template std::unique_ptr<Unit<float>> make_table(const Scene<float>&, const std::string&);
template std::unique_ptr<Unit<Bf16>> make_table(const Scene<Bf16>&, const std::string&);
template class Embedding<double>;
template class Embedding<float>;
template class Embedding<Bf16>;
template class Head<double>;
template class Head<float>;
template class Head<Bf16>;

}  // namespace reckon::train
