// Attention between the query-key-value product and the output product: flash or unfused on one rank, a ring over context ranks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "train/scene.hpp"

namespace reckon::train {

/// What the backward pass needs beside the product's output.
template <class T>
struct AttentionKept {
  Buffer<T> out;               ///< (tokens, heads head_dim)
  Buffer<Accumulator<T>> lse;  ///< (micro_batch, heads, local_seq): flash and ring
  Buffer<T> probabilities;     ///< unfused: (micro_batch, heads, seq, seq); empty when it is computed again
};

/// `qkv`: (tokens, (heads + 2 kv_heads) head_dim), queries, keys and values of a token side by side, positions already applied.
template <class T>
void attention_forward(const Scene<T>& scene, const T* qkv, AttentionKept<T>& kept);

/// The gradient of qkv from that of the output.
template <class T>
Buffer<T> attention_backward(const Scene<T>& scene, const T* qkv, AttentionKept<T>& kept, const T* dout);

/// The parts that attention_core.cpp chooses among; the ring is in ring_attention.cpp.
template <class T>
void ring_forward(const Scene<T>& scene, const T* qkv, AttentionKept<T>& kept);
template <class T>
void ring_backward(const Scene<T>& scene, const T* qkv, AttentionKept<T>& kept, const T* dout, T* dqkv);

}  // namespace reckon::train
