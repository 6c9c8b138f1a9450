// Table look-ups and rotary positions: what happens to tokens before and between the products.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <vector>

#include "kernels/op/backend.hpp"

namespace reckon {

/// out[t] = table[index[t] - first_row], or zeros for an index outside [first_row, first_row + table_rows): a table split over ranks adds
/// up. `accumulate` adds to what out held before (positions beside words).
template <class T>
struct EmbeddingForward {
  using Element = T;
  std::int64_t tokens = 0, columns = 0, first_row = 0, table_rows = 0;
  const std::int32_t* index = nullptr;
  const T* table = nullptr;
  T* out = nullptr;
  bool accumulate = false;

  Work work() const { return embedding_work(double(tokens), double(columns), sizeof(T)); }
  void check() const { require(tokens >= 0 && columns >= 0 && table_rows >= 0, "a look-up of a negative size"); }
};

/// dtable[index[t] - first_row] += dout[t], tokens in ascending order.  Always adds.
template <class T>
struct EmbeddingBackward {
  using Element = T;
  std::int64_t tokens = 0, columns = 0, first_row = 0, table_rows = 0;
  const std::int32_t* index = nullptr;
  const T* dout = nullptr;
  Accumulator<T>* dtable = nullptr;

  Work work() const { return elementwise_work(double(tokens) * double(columns), 1, 2, 0, sizeof(Accumulator<T>)); }
  void check() const { require(tokens >= 0 && columns >= 0 && table_rows >= 0, "a look-up of a negative size"); }
};

/// Rotates pairs (x[d], x[d + head_dim / 2]) of every head of token t by the angle whose cosine and sine lie in row t % period of the
/// tables, (period, head_dim / 2) each; `inverse` turns back, which is the backward pass.  In place.  x: tokens `stride` elements apart.
/// Source: Su et al. 2021 (arXiv 2104.09864), pairs as in GPT-NeoX and Llama's Hugging Face form.
template <class T>
struct Rotary {
  using Element = T;
  std::int64_t tokens = 0, heads = 0, head_dim = 0, stride = 0, period = 1;
  bool inverse = false;
  const Accumulator<T>* cosine = nullptr;
  const Accumulator<T>* sine = nullptr;
  T* x = nullptr;

  Work work() const { return rotary_work(double(tokens), double(heads * head_dim), sizeof(T)); }
  void check() const {
    require(tokens >= 0 && heads >= 0 && head_dim >= 0 && head_dim % 2 == 0 && period >= 1, "a rotation of an odd or negative size");
    require(stride >= heads * head_dim, "tokens of a rotation that overlap");
  }
};

/// cos and sin of position theta^(-2 d / head_dim), d < head_dim / 2, a row for each position.
template <class A>
struct RotaryTables {
  std::vector<A> cosine, sine;
};
template <class A>
RotaryTables<A> rotary_tables(const std::vector<std::int64_t>& positions, std::int64_t head_dim, double theta = 10000) {
  RotaryTables<A> tables;
  for (const std::int64_t position : positions) {
    for (std::int64_t d = 0; d < head_dim / 2; ++d) {
      const double angle = double(position) * std::pow(theta, -2.0 * double(d) / double(head_dim));
      tables.cosine.push_back(A(std::cos(angle)));
      tables.sine.push_back(A(std::sin(angle)));
    }
  }
  return tables;
}

RECKON_OP(EmbeddingForward);
RECKON_OP(EmbeddingBackward);
RECKON_OP(Rotary);

}  // namespace reckon
