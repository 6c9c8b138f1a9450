// The two ends of the model: tables that turn tokens into rows, and the head with its loss.  The vocabulary is divided among tensor ranks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "train/linear.hpp"
#include "train/scene.hpp"

namespace reckon::train {

/// This tensor rank's rows of a table over the vocabulary: [first, first + count), equal pieces but for the last.
struct VocabularyPart {
  std::int64_t first = 0, count = 0;
};
VocabularyPart vocabulary_part(std::int64_t vocabulary, std::int64_t ranks, std::int64_t rank);

/// The unit of a table over the vocabulary: the input table and, where it is not tied, the head's.
template <class T>
std::unique_ptr<Unit<T>> make_table(const Scene<T>& scene, const std::string& name);

template <class T>
class Embedding {
 public:
  explicit Embedding(const Scene<T>& scene);
  /// Rows outside the tensor-parallel regions from the indices of all local tokens.
  Buffer<T> forward(const std::vector<std::int32_t>& tokens);
  void backward(const std::vector<std::int32_t>& tokens, const Buffer<T>& dout);
  Unit<T>& table() { return *table_; }
  std::vector<Unit<T>*> units();

 private:
  const std::int32_t* row_positions() const;

  const Scene<T>* scene_;
  VocabularyPart part_;
  std::unique_ptr<Unit<T>> table_, positions_;
};

template <class T>
struct HeadKept {
  Buffer<T> x, normed, logits;
  NormStatistics<T> norm;
  Buffer<Accumulator<T>> maximum, sum;
};

template <class T>
class Head {
 public:
  /// `tied`: the embedding's table where the model ties them and both ends are on this rank, else null.
  Head(const Scene<T>& scene, Unit<T>* tied);
  /// The sum of the tokens' losses: the same on all tensor ranks.  Keeps nothing when `kept` is null.
  double forward(Buffer<T> x, const std::vector<std::int32_t>& targets, HeadKept<T>* kept);
  /// The gradient of x for a loss that is `scale` times the sum.
  Buffer<T> backward(const std::vector<std::int32_t>& targets, double scale, HeadKept<T>& kept);
  Unit<T>& table() { return tied_ != nullptr ? *tied_ : *own_table_; }
  std::vector<Unit<T>*> units();

 private:
  const Scene<T>* scene_;
  Unit<T>* tied_;
  std::unique_ptr<Unit<T>> final_norm_, own_table_;
  Norm norm_;
  Linear linear_;
  VocabularyPart part_;
};

}  // namespace reckon::train
