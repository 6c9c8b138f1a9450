// A transformer layer's parameters, forward and backward pass.
// SPDX-License-Identifier: Apache-2.0
#include "train/block.hpp"

#include <fmt/format.h>

#include "kernels/op/memory.hpp"

namespace reckon::train {
namespace {

/// The parameters of a layer, in the order in which they lie.
class Parameters {
 public:
  template <class T>
  explicit Parameters(const Scene<T>& s) : tensor_ranks_(s.tensor_ranks()), rank_(s.grid->tensor.rank()), scattered_(s.scattered) {}

  /// `rows` of this rank of a matrix whose rows are divided among the tensor ranks.
  void column_parallel(const std::string& name, std::int64_t rows, std::int64_t columns, double deviation) {
    add({.name = name, .rows = rows, .columns = columns, .row = rank_ * rows, .all_columns = columns, .deviation = deviation});
  }
  void row_parallel(const std::string& name, std::int64_t rows, std::int64_t columns, double deviation) {
    add({.name = name,
         .rows = rows,
         .columns = columns,
         .column = rank_ * columns,
         .all_columns = columns * tensor_ranks_,
         .deviation = deviation});
  }
  void column_bias(const std::string& name, std::int64_t count) {
    add({.name = name, .columns = count, .column = rank_ * count, .all_columns = count * tensor_ranks_, .decays = false});
  }
  /// The same on every tensor rank, applied to rows outside the tensor-parallel regions.
  void replicated(const std::string& name, std::int64_t count, double constant) {
    add({.name = name,
         .columns = count,
         .all_columns = count,
         .constant = constant,
         .decays = false,
         .tensor_partial = scattered_,
         .tensor_replicated = true});
  }
  /// The same on every tensor rank, inside a region: each has a part of the gradient.
  void router(const std::string& name, std::int64_t rows, std::int64_t columns, double deviation) {
    add({.name = name,
         .rows = rows,
         .columns = columns,
         .all_columns = columns,
         .deviation = deviation,
         .tensor_partial = tensor_ranks_ > 1,
         .tensor_replicated = true});
  }
  std::size_t size() const { return list_.size(); }
  std::vector<Parameter> take() { return std::move(list_); }

 private:
  void add(Parameter p) { list_.push_back(std::move(p)); }

  std::int64_t tensor_ranks_, rank_;
  bool scattered_;
  std::vector<Parameter> list_;
};

Norm add_norm(Parameters& list, const Transformer& m, const std::string& name) {
  const Norm norm{list.size(), m.norm == NormKind::layer_norm};
  list.replicated(name + ".weight", m.hidden_size, 1.0);
  if (norm.centred) list.replicated(name + ".bias", m.hidden_size, 0.0);
  return norm;
}

constexpr double deviation =
    0.02;  // Radford et al. 2019: weights from N(0, 0.02), those into the residual stream divided by sqrt(2 layers)

}  // namespace

template <class T>
Block<T>::Block(const Scene<T>& scene, std::int64_t index) : scene_(&scene) {
  const Transformer& m = scene.model();
  const double residual_deviation = deviation / std::sqrt(2.0 * double(m.num_layers));
  const std::int64_t h = m.hidden_size, q = scene.heads * scene.head_dim, kv = scene.kv_heads * scene.head_dim;
  gated_ = m.gated_mlp;
  has_experts_ = is_expert_layer(m, index);
  width_ = m.ffn_hidden_size / scene.tensor_ranks();
  Parameters list(scene), expert_list(scene);
  first_norm_ = add_norm(list, m, "norm1");
  qkv_ = {.out = q + 2 * kv, .in = h, .weight = list.size(), .weights = 3, .biased = m.qkv_bias};
  list.column_parallel("q.weight", q, h, deviation);
  list.column_parallel("k.weight", kv, h, deviation);
  list.column_parallel("v.weight", kv, h, deviation);
  qkv_.bias = list.size();
  if (m.qkv_bias) {
    list.column_bias("q.bias", q);
    list.column_bias("k.bias", kv);
    list.column_bias("v.bias", kv);
  }
  output_ = {.out = h, .in = q, .weight = list.size(), .bias = list.size() + 1, .biased = m.attention_output_bias};
  list.row_parallel("o.weight", h, q, residual_deviation);
  if (output_.biased) list.replicated("o.bias", h, 0.0);
  second_norm_ = add_norm(list, m, "norm2");
  const auto add_mlp = [&](Parameters& to, const std::string& prefix, std::int64_t width, bool biased, Linear& up, Linear& down) {
    up = {.out = gated_ ? 2 * width : width, .in = h, .weight = to.size(), .weights = std::size_t(gated_ ? 2 : 1), .biased = biased};
    if (gated_) to.column_parallel(prefix + "gate.weight", width, h, deviation);
    to.column_parallel(prefix + "up.weight", width, h, deviation);
    up.bias = to.size();
    if (biased && gated_) to.column_bias(prefix + "gate.bias", width);
    if (biased) to.column_bias(prefix + "up.bias", width);
    down = {.out = h, .in = width, .weight = to.size(), .bias = to.size() + 1, .biased = biased};
    to.row_parallel(prefix + "down.weight", h, width, residual_deviation);
    if (biased) to.replicated(prefix + "down.bias", h, 0.0);
  };
  if (has_experts_) {
    const reckon::Experts& e = *m.experts;
    experts_ = {.experts = e.num_experts,
                .local = e.num_experts / scene.grid->expert.size(),
                .top_k = e.experts_per_token,
                .width = e.expert_ffn_hidden_size / scene.tensor_ranks(),
                .gated = gated_};
    experts_.router = {.out = e.num_experts, .in = h, .weight = list.size()};
    list.router("router.weight", e.num_experts, h, deviation);
    for (std::int64_t l = 0; l < experts_.local; ++l) {
      Linear up, down;
      add_mlp(expert_list, fmt::format("expert{}.", scene.grid->expert.rank() * experts_.local + l), experts_.width, false, up, down);
      experts_.up.push_back(up);
      experts_.down.push_back(down);
    }
  } else {
    add_mlp(list, "", width_, m.mlp_bias, up_, down_);
  }
  const std::string name = fmt::format("layer{}", index);
  const Sharding sharding = scene.job->strategy.sharding;
  const OptimizerKind kind = scene.job->optimizer.kind;
  unit_ = std::make_unique<Unit<T>>(name, list.take(), scene.grid->replicas, scene.grid->tensor, sharding, kind);
  if (has_experts_)
    expert_unit_ =
        std::make_unique<Unit<T>>(name + ".experts", expert_list.take(), scene.grid->expert_replicas, scene.grid->tensor, sharding, kind);
  for (Unit<T>* unit : units()) unit->initialize(scene.job->seed);
}

template <class T>
std::vector<Unit<T>*> Block<T>::units() {
  std::vector<Unit<T>*> out{unit_.get()};
  if (expert_unit_) out.push_back(expert_unit_.get());
  return out;
}

template <class T>
Buffer<T> Block<T>::forward(Buffer<T> x, BlockKept<T>& kept) {
  kept.x = std::move(x);
  Buffer<T> out = run_forward(kept);
  if (scene_->job->strategy.recompute == Recompute::full) {
    BlockKept<T> input;
    input.x = std::move(kept.x);
    input.only_input = true;
    kept = std::move(input);
  }
  for (Unit<T>* unit : units()) unit->release();
  return out;
}

template <class T>
Buffer<T> Block<T>::run_forward(BlockKept<T>& kept) {
  const Scene<T>& s = *scene_;
  kept.attention_input = norm_forward(first_norm_, *unit_, kept.x.data(), s.rows, s.hidden, kept.first_norm);
  const Entered<T> inside = enter(s, kept.attention_input.data(), s.hidden);
  kept.qkv = linear_forward<T>(qkv_, *unit_, inside.data, s.tokens, Activation::none, nullptr);
  if (s.cosine) {
    run(Rotary<T>{.tokens = s.tokens,
                  .heads = s.heads + s.kv_heads,
                  .head_dim = s.head_dim,
                  .stride = qkv_.out,
                  .period = s.local_seq,
                  .cosine = s.cosine.data(),
                  .sine = s.sine.data(),
                  .x = kept.qkv.data()});
  }
  attention_forward(s, kept.qkv.data(), kept.attention);
  kept.middle = leave(s, linear_forward(output_, *unit_, kept.attention.out.data(), s.tokens), s.hidden);
  const auto add_residual = [&](const Linear& l, Buffer<T>& y, const Buffer<T>& residual) {
    if (l.biased) {
      run(BiasAdd<T>{
          .rows = s.rows, .columns = s.hidden, .x = y.data(), .bias = unit_->weight(l.bias), .residual = residual.data(), .out = y.data()});
    } else {
      run(ResidualAdd<T>{.count = y.size(), .a = y.data(), .b = residual.data(), .out = y.data()});
    }
  };
  add_residual(output_, kept.middle, kept.x);
  kept.mlp_input = norm_forward(second_norm_, *unit_, kept.middle.data(), s.rows, s.hidden, kept.second_norm);
  Buffer<T> out = mlp_forward(kept);
  add_residual(down_, out, kept.middle);
  return out;
}

template <class T>
Buffer<T> Block<T>::mlp_forward(BlockKept<T>& kept) {
  const Scene<T>& s = *scene_;
  const Entered<T> inside = enter(s, kept.mlp_input.data(), s.hidden);
  if (has_experts_) return leave(s, experts_forward(s, experts_, *unit_, *expert_unit_, inside.data, kept.experts), s.hidden);
  kept.active = Buffer<T>(s.tokens * width_);
  kept.hidden = linear_forward<T>(up_, *unit_, inside.data, s.tokens, gated_ ? Activation::swiglu : Activation::gelu, kept.active.data());
  return leave(s, linear_forward(down_, *unit_, kept.active.data(), s.tokens), s.hidden);
}

template <class T>
Buffer<T> Block<T>::mlp_backward(const T* dout, BlockKept<T>& kept) {
  const Scene<T>& s = *scene_;
  const Entered<T> dinside = enter(s, dout, s.hidden), inside = enter(s, kept.mlp_input.data(), s.hidden);
  if (has_experts_)
    return leave(s, experts_backward(s, experts_, *unit_, *expert_unit_, inside.data, kept.experts, dinside.data), s.hidden);
  bias_backward(down_, *unit_, dout, s.rows);
  weight_backward(down_, *unit_, kept.active.data(), dinside.data, s.tokens);
  const Buffer<T> dhidden =
      input_backward<T>(down_, *unit_, dinside.data, s.tokens, gated_ ? Activation::swiglu : Activation::gelu, kept.hidden.data());
  bias_backward(up_, *unit_, dhidden.data(), s.tokens);
  weight_backward(up_, *unit_, inside.data, dhidden.data(), s.tokens);
  return leave(s, input_backward(up_, *unit_, dhidden.data(), s.tokens), s.hidden);
}

template <class T>
Buffer<T> Block<T>::attention_part_backward(const T* dmiddle, BlockKept<T>& kept) {
  const Scene<T>& s = *scene_;
  bias_backward(output_, *unit_, dmiddle, s.rows);
  const Entered<T> dinside = enter(s, dmiddle, s.hidden), inside = enter(s, kept.attention_input.data(), s.hidden);
  weight_backward(output_, *unit_, kept.attention.out.data(), dinside.data, s.tokens);
  const Buffer<T> dattended = input_backward(output_, *unit_, dinside.data, s.tokens);
  Buffer<T> dqkv = attention_backward(s, kept.qkv.data(), kept.attention, dattended.data());
  if (s.cosine) {
    run(Rotary<T>{.tokens = s.tokens,
                  .heads = s.heads + s.kv_heads,
                  .head_dim = s.head_dim,
                  .stride = qkv_.out,
                  .period = s.local_seq,
                  .inverse = true,
                  .cosine = s.cosine.data(),
                  .sine = s.sine.data(),
                  .x = dqkv.data()});
  }
  bias_backward(qkv_, *unit_, dqkv.data(), s.tokens);
  weight_backward(qkv_, *unit_, inside.data, dqkv.data(), s.tokens);
  return leave(s, input_backward(qkv_, *unit_, dqkv.data(), s.tokens), s.hidden);
}

template <class T>
Buffer<T> Block<T>::backward(Buffer<T> dout, BlockKept<T>& kept) {
  const Scene<T>& s = *scene_;
  if (kept.only_input) run_forward(kept);
  const auto add = [](Buffer<T>& sum, const Buffer<T>& more) {
    run(ResidualAdd<T>{.count = sum.size(), .a = sum.data(), .b = more.data(), .out = sum.data()});
  };
  const Buffer<T> dmlp_input = mlp_backward(dout.data(), kept);
  add(dout, norm_backward(second_norm_, *unit_, kept.middle.data(), dmlp_input.data(), s.rows, s.hidden, kept.second_norm));
  const Buffer<T> dattention_input = attention_part_backward(dout.data(), kept);
  add(dout, norm_backward(first_norm_, *unit_, kept.x.data(), dattention_input.data(), s.rows, s.hidden, kept.first_norm));
  for (Unit<T>* unit : units()) unit->release_after_backward();
  return dout;
}

template class Block<double>;
template class Block<float>;
template class Block<Bf16>;

}  // namespace reckon::train
