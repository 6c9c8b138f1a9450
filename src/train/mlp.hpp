// The non-linear part of an MLP or of an expert, and the mixture of experts with its way between ranks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/activation.hpp"
#include "train/linear.hpp"
#include "train/scene.hpp"

namespace reckon::train {

/// out (rows, width) from hidden: (rows, 2 width), gate beside up, through SwiGLU; or (rows, width) through GELU.
template <class T>
Buffer<T> activation_forward(bool gated, const T* hidden, std::int64_t rows, std::int64_t width) {
  Buffer<T> out(rows * width);
  if (gated) {
    run(SwigluForward<T>{.rows = rows, .columns = width, .stride = 2 * width, .gate = hidden, .up = hidden + width, .out = out.data()});
  } else {
    run(GeluForward<T>{.count = rows * width, .x = hidden, .out = out.data()});
  }
  return out;
}
template <class T>
Buffer<T> activation_backward(bool gated, const T* hidden, const T* dout, std::int64_t rows, std::int64_t width) {
  Buffer<T> dhidden(rows * width * (gated ? 2 : 1));
  if (gated) {
    run(SwigluBackward<T>{.rows = rows,
                          .columns = width,
                          .stride = 2 * width,
                          .gate = hidden,
                          .up = hidden + width,
                          .dout = dout,
                          .dgate = dhidden.data(),
                          .dup = dhidden.data() + width});
  } else {
    run(GeluBackward<T>{.count = rows * width, .x = hidden, .dout = dout, .dx = dhidden.data()});
  }
  return dhidden;
}

/// The experts of a layer on this rank: expert e of `local` has its two products in unit parameters up[e] and down[e].
struct Experts {
  std::int64_t experts = 0, local = 0, top_k = 0, width = 0;  ///< in all, here, for a token, values inside
  bool gated = false;
  Linear router;
  std::vector<Linear> up, down;
};

/// Where rows go: from tokens to the order of experts (send), between ranks, to the order of local experts.
struct Routes {
  std::vector<std::int32_t> slot, source;      ///< (token, choice) -> sent row; sent row -> token
  std::vector<std::int32_t> arrange, restore;  ///< row by local expert -> received row, and back
  std::vector<std::int64_t> sent, received;    ///< rows to and from each rank of the expert group
  std::vector<std::int64_t> expert_rows;       ///< of each local expert
  std::int64_t rows_sent = 0, rows_received = 0;
};

template <class T>
struct ExpertsKept {
  Routes routes;
  Buffer<std::int32_t> choice;
  Buffer<Accumulator<T>> p, weight;
  Buffer<T> x, hidden, active, returned;
};

/// The weighted sum of each token's experts.  `x`: (tokens, hidden) inside a tensor-parallel region; the result is a tensor rank's part.
template <class T>
Buffer<T> experts_forward(const Scene<T>& scene, const Experts& e, Unit<T>& dense, Unit<T>& experts, const T* x, ExpertsKept<T>& kept);
/// The gradient of x, a tensor rank's part of it, from that of the result.
template <class T>
Buffer<T> experts_backward(const Scene<T>& scene, const Experts& e, Unit<T>& dense, Unit<T>& experts, const T* x,
                           const ExpertsKept<T>& kept, const T* dout);

}  // namespace reckon::train
