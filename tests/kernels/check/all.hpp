// Every op over awkward shapes: sizes 0, 1, primes, one more and one less than a vector or a block, rows too long for registers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cinttypes>

#include "tests/kernels/check/check_elementwise.hpp"
#include "tests/kernels/check/check_experts.hpp"
#include "tests/kernels/check/check_layers.hpp"
#include "tests/kernels/check/check_matmul.hpp"
#include "tests/kernels/check/check_norm.hpp"
#include "tests/kernels/check/check_tokens.hpp"
#include "tests/kernels/check/check_update.hpp"

namespace reckon::check {

template <class T>
constexpr const char* type_name() {
  return std::is_same_v<T, Bf16> ? "bf16" : std::is_same_v<T, float> ? "fp32" : "fp64";
}

inline std::string named(const char* op, const char* type, std::initializer_list<std::int64_t> sizes, std::size_t offset) {
  std::string name = std::string(op) + " " + type;
  for (const std::int64_t size : sizes) name += " " + std::to_string(size);
  return offset == 0 ? name : name + " +" + std::to_string(offset);
}

/// `visit(name, report)` after each norm.
template <class T, class Launch, class Visit>
void check_norms(Place& place, std::uint64_t seed, const Launch& launch, const Visit& visit) {
  const NormShape shapes[] = {{0, 7}, {3, 0}, {1, 1}, {2, 3}, {5, 31}, {4, 32}, {3, 33}, {7, 127, 0.5, true}, {17, 256}, {6, 1000, 0, true}, {3, 1024, 3},
                              {300, 64}, {5000, 3}, {2, 4099}, {3, 8192}, {9, 8200}, {2, 16640}, {1, 40000, 1}};
  for (const NormShape s : shapes) {
    for (const std::size_t offset : {0, 1}) {
      if (offset > 0 && s.rows * s.columns > 20000) continue;
      const Setting setting{seed, offset};
      const auto name = [&](const char* op) { return named(op, type_name<T>(), {s.rows, s.columns}, offset); };
      visit(name("rms_norm_forward"), check_norm_forward<T, false>(place, s, setting, launch));
      visit(name("layer_norm_forward"), check_norm_forward<T, true>(place, s, setting, launch));
      visit(name("rms_norm_backward"), check_norm_backward<T, false>(place, s, setting, launch));
      visit(name("layer_norm_backward"), check_norm_backward<T, true>(place, s, setting, launch));
    }
  }
}

template <class T, class Launch, class Visit>
void check_elementwise(Place& place, std::uint64_t seed, const Launch& launch, const Visit& visit) {
  for (const std::int64_t count : {0, 1, 2, 3, 7, 8, 31, 33, 127, 1000, 4097, 70001}) {
    for (const std::size_t offset : {0, 1, 3}) {
      const Setting setting{seed, offset};
      const auto name = [&](const char* op) { return named(op, type_name<T>(), {count}, offset); };
      visit(name("gelu_forward"), check_gelu_forward<T>(place, count, setting, launch));
      visit(name("gelu_backward"), check_gelu_backward<T>(place, count, setting, launch));
      visit(name("residual_add"), check_residual_add<T>(place, count, setting, launch));
      visit(name("copy"), check_copy<T>(place, count, setting, launch));
      visit(name("adamw"), check_adamw<T, T>(place, {count, 1 + count % 5}, setting, launch));
      visit(name("adamw without working weight"), check_adamw<T, T>(place, {count, 1000, false}, setting, launch));
    }
  }
  const RowShape shapes[] = {{0, 5, 5}, {3, 0, 4}, {1, 1, 1}, {3, 7, 7}, {5, 31, 62}, {2, 64, 128}, {7, 100, 203}, {33, 129, 129}, {4, 2056, 4112}, {301, 8, 16}};
  for (const RowShape s : shapes) {
    for (const std::size_t offset : {0, 1}) {
      const auto name = [&](const char* op) { return named(op, type_name<T>(), {s.rows, s.columns, s.stride}, offset); };
      visit(name("swiglu_forward"), check_swiglu_forward<T>(place, s, {seed, offset}, launch));
      visit(name("swiglu_backward"), check_swiglu_backward<T>(place, s, {seed, offset}, launch));
    }
  }
}

inline const std::vector<MatmulShape>& matmul_shapes() {
  static const std::vector<MatmulShape> shapes = [] {
    std::vector<MatmulShape> list{{.m = 0, .n = 3, .k = 4}, {.m = 3, .n = 0, .k = 4}, {.m = 3, .n = 5, .k = 0}, {.m = 3, .n = 5, .k = 0, .beta = 0.5},
                                  {.m = 1, .n = 1, .k = 1}, {.m = 2, .n = 3, .k = 4, .alpha = -1.5, .beta = 0.5}};
    for (const bool transpose_a : {false, true}) {
      for (const bool transpose_b : {false, true}) {
        const auto add = [&](MatmulShape s) {
          s.transpose_a = transpose_a;
          s.transpose_b = transpose_b;
          list.push_back(s);
        };
        add({.m = 1, .n = 37, .k = 129});
        add({.m = 37, .n = 1, .k = 64});
        add({.m = 14, .n = 32, .k = 32});
        add({.m = 15, .n = 33, .k = 31, .alpha = 0.5, .beta = 1});
        add({.m = 64, .n = 128, .k = 256});
        add({.m = 101, .n = 103, .k = 107, .gap = 5});
        add({.m = 173, .n = 263, .k = 401});
        add({.m = 16, .n = 24, .k = 48, .batch = 3, .beta = 1, .gap = 8});
        add({.m = 7, .n = 11, .k = 13, .batch = 5, .shared_b = true});
      }
    }
    return list;
  }();
  return shapes;
}

template <class T, class R, class Launch, class Visit>
void check_matmuls(Place& place, std::uint64_t seed, const Launch& launch, const Visit& visit, std::size_t workspace_bytes = 0, bool tf32 = false) {
  for (const MatmulShape& s : matmul_shapes()) {
    std::string name = named("matmul", type_name<T>(), {s.m, s.n, s.k, s.batch}, 0) + " -> " + type_name<R>() + (s.transpose_a ? " a^T" : "") + (s.transpose_b ? " b^T" : "") + (s.beta != 0 ? " + c" : "");
    visit(name, check_matmul<T, R>(place, s, {seed, 0}, launch, workspace_bytes, tf32));
  }
}

/// Everything but the products, in fp32 and bf16.
template <class Launch, class Visit>
void check_all_but_products(Place& place, std::uint64_t seed, const Launch& launch, const Visit& visit) {
  check_norms<float>(place, seed, launch, visit);
  check_norms<Bf16>(place, seed, launch, visit);
  check_elementwise<float>(place, seed, launch, visit);
  check_elementwise<Bf16>(place, seed, launch, visit);
  for (const std::int64_t count : {1, 9, 1003}) visit(named("adamw fp32 gradient", "bf16", {count}, 0), check_adamw<Bf16, float>(place, {count, 3}, {seed, 0}, launch));
}

/// Attention, the ops around the products, optimisers and casts, in fp32 and bf16.
template <class Launch, class Visit>
void check_transformer_ops(Place& place, std::uint64_t seed, const Launch& launch, const Visit& visit, std::int64_t most_pairs = std::int64_t(1) << 40) {
  check_attentions<float>(place, seed, launch, visit, most_pairs);
  check_attentions<Bf16>(place, seed, launch, visit, most_pairs);
  check_tokens<float>(place, seed, launch, visit);
  check_experts<float>(place, seed, launch, visit);
  check_tokens<Bf16>(place, seed, launch, visit);
  check_experts<Bf16>(place, seed, launch, visit);
  check_updates<float>(place, seed, launch, visit);
  check_updates<Bf16>(place, seed, launch, visit);
  check_layers<float>(place, seed, launch, visit);
  check_layers<Bf16>(place, seed, launch, visit);
}

template <class Launch, class Visit>
void check_products(Place& place, std::uint64_t seed, const Launch& launch, const Visit& visit, std::size_t workspace_bytes = 0) {
  check_matmuls<float, float>(place, seed, launch, visit, workspace_bytes);
  check_matmuls<Bf16, Bf16>(place, seed, launch, visit, workspace_bytes);
  check_matmuls<Bf16, float>(place, seed, launch, visit, workspace_bytes);
}

}  // namespace reckon::check
