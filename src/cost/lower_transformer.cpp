// Transformers: dense, grouped-query, mixture of experts, latent attention; decoders, encoders, encoder-decoders, patch input.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "cost/lower_transformer.hpp"

namespace reckon {
namespace {

class TransformerLowering {
 public:
  TransformerLowering(const Transformer& model, const Strategy& strategy, const Task& task, const StackFacts& facts)
      : model_(model), strategy_(strategy), task_(task), facts_(facts) {}

  LoweredModel run() {
    const double seq = sequence();
    LoweredModel out;
    if (model_.num_encoder_layers > 0) {
      const double encoder_seq = static_cast<double>(model_.encoder_seq_len > 0 ? model_.encoder_seq_len : model_.seq_len);
      out.kinds.push_back(layer(encoder_seq, false, false));
      out.kinds.push_back(layer(seq, false, true));
      out.order.assign(static_cast<std::size_t>(model_.num_encoder_layers), 0);
      out.order.insert(out.order.end(), static_cast<std::size_t>(model_.num_layers), 1);
    } else {
      append_layers(out, seq);
    }
    const TransformerShard x = transformer_shard(strategy_, task_, seq);
    const TransformerEnds ends(model_, strategy_, task_, facts_);
    out.balanced_stages = facts_.balanced_stages;
    out.before = ends.before();
    out.after = ends.after();
    if (model_.tied_embeddings) out.tied_parameters = static_cast<double>(model_.vocab_size) * h() / x.tp;
    // each rank of a tensor group sends its share and the receivers gather (Narayanan et al. 2021, section 4.1; the sequence-parallel
    // layout is split already)
    out.boundary = Bytes{x.tokens * h() * x.element / x.tp};
    return out;
  }

 private:
  double h() const { return static_cast<double>(model_.hidden_size); }
  double sequence() const { return static_cast<double>(task_.seq_len > 0 ? task_.seq_len : model_.seq_len); }
  bool has_bias() const { return model_.norm == NormKind::layer_norm; }
  LayerBuilder builder() const { return LayerBuilder(strategy_.precision, facts_, activation_bytes(strategy_.precision)); }

  void append_layers(LoweredModel& out, double seq) const {
    const bool windowed = model_.sliding_window > 0 && static_cast<double>(model_.sliding_window) < seq;
    // kinds: dense / expert x full / windowed, made only when used
    int kind_of[4] = {-1, -1, -1, -1};
    for (std::int64_t i = 0; i < model_.num_layers + model_.num_mtp_layers; ++i) {
      bool expert = model_.experts.has_value();
      if (expert && i < model_.num_layers) {
        const std::int64_t k = i - model_.experts->num_dense_layers;
        expert = k >= 0 && k % std::max<std::int64_t>(1, model_.experts->layer_period) == 0;
      }
      const bool window = windowed && (model_.window_period <= 1 || (i + 1) % model_.window_period != 0);
      int& kind = kind_of[(expert ? 2 : 0) + (window ? 1 : 0)];
      if (kind < 0) {
        kind = static_cast<int>(out.kinds.size());
        out.kinds.push_back(layer(seq, expert, false, window));
      }
      out.order.push_back(static_cast<std::uint16_t>(kind));
    }
  }

  LoweredLayer layer(double seq, bool expert, bool cross, bool window = false) const {
    const TransformerShard x = transformer_shard(strategy_, task_, seq);
    LayerBuilder b = builder();
    b.layer().input = Bytes{x.norm_tokens * h() * x.element};
    attention_block(b, x, seq, model_.causal && (cross || model_.num_encoder_layers == 0), window);
    if (cross) attention_block(b, x, static_cast<double>(model_.encoder_seq_len > 0 ? model_.encoder_seq_len : model_.seq_len), false, false);
    if (expert) {
      expert_block(b, x);
    } else {
      mlp_block(b, x, static_cast<double>(model_.ffn_hidden_size), OpGroup::mlp_product, OpGroup::mlp_activation, true);
    }
    for (std::int64_t i = model_.parallel_residual ? 1 : 2; i < model_.norms_per_layer; ++i) b.norm("extra norm", x.norm_tokens, h(), has_bias());
    return b.take();
  }

  /// Messages around a pair of products split over the tensor group: all-reduce, or all-gather + reduce-scatter of sequence parallelism.
  void tensor_messages(LayerBuilder& b, const TransformerShard& x, double tokens) const {
    if (x.tp <= 1) return;
    const double size = tokens * h() * x.element, sums = facts_.wide_reductions ? tokens * h() * 4.0 : size;
    if (x.sp) {
      b.message(Group::tensor, Collective::all_gather, size, 1, 1, 1, false);   // forward input; backward gradient of the output
      b.message(Group::tensor, Collective::reduce_scatter, sums, 1, 1, 1, false);
      b.message(Group::tensor, Collective::all_gather, size, 0, 1, 0, true);    // the kept input is gathered again for its weight gradient
    } else {
      b.message(Group::tensor, Collective::all_reduce, sums, 1, 0, 1, false);
      b.message(Group::tensor, Collective::all_reduce, sums, 0, 1, 0, true);
    }
  }

  /// Residual addition with dropout after a block.
  void residual(LayerBuilder& b, const TransformerShard& x) const {
    const double values = x.norm_tokens * h();
    const double drop = facts_.dropout ? 1.0 : 0.0;
    const bool fused = facts_.fused_elementwise || task_.compiled;
    // fused: read block output and residual, write; unfused: bias add, dropout and addition each on their own
    const double passes = fused ? 3.0 : 3.0 + (has_bias() ? 2.0 : 0.0) + 2.0 * drop;
    const double forward = values * (passes * x.element + drop);
    const double backward = values * ((3.0 + 2.0 * drop) * x.element + drop);
    Op& op = b.stream("residual", OpGroup::other, Bytes{forward}, Bytes{backward}, Bytes{values * drop}, fused ? 1 : 1 + drop + (has_bias() ? 1 : 0), 1 + drop);
    op.forward_kernel = has_bias() ? StreamKernel::bias_residual : StreamKernel::residual;
    op.backward_kernel = StreamKernel::residual;
  }

  /// `saves_input`: false where another op keeps the same tensor.
  void lora(LayerBuilder& b, const TransformerShard& x, double rows, double in, double out, bool saves_input = true) const {
    if (!x.frozen || task_.lora_rank <= 0) return;
    const double r = static_cast<double>(task_.lora_rank);
    b.linear("lora down", OpGroup::other, {.rows = rows, .in = in, .out = r, .saves_input = saves_input, .low_precision = false});
    b.linear("lora up", OpGroup::other, {.rows = rows, .in = r, .out = out, .low_precision = false});
    b.stream("lora add", OpGroup::other, Bytes{rows * out * x.element * 3.0}, Bytes{rows * out * x.element}, Bytes{}, 1, 1);
  }

  void attention_block(LayerBuilder& b, const TransformerShard& x, double seq_kv, bool causal, bool window) const {
    b.norm("attention norm", x.norm_tokens, h(), has_bias());
    if (model_.latent_attention) {
      latent_attention(b, x, seq_kv, causal);
    } else {
      plain_attention(b, x, seq_kv, causal, window);
    }
    tensor_messages(b, x, x.tokens);
    if (!model_.parallel_residual) residual(b, x);
  }

  void plain_attention(LayerBuilder& b, const TransformerShard& x, double seq_kv, bool causal, bool window) const {
    const double d = static_cast<double>(model_.head_dim), a = static_cast<double>(model_.num_heads) / x.tp;
    const double kv = std::max(1.0, static_cast<double>(model_.num_kv_heads) / x.tp);
    const double width = (a + 2.0 * kv) * d;
    b.linear("qkv", OpGroup::other, {.rows = x.tokens, .in = h(), .out = width, .bias = model_.qkv_bias,
                                        .separate_bias = facts_.separate_bias, .frozen = x.frozen, .saved_rows = x.norm_tokens});
    lora(b, x, x.tokens, h(), width);
    const double rotary_heads = (a + kv) * d;
    if (model_.qk_norm) {
      b.norm("query key norm", x.tokens * (a + kv), d, false);
    }
    if (model_.positions == PositionKind::rotary) {
      const bool fused = facts_.fused_elementwise || task_.compiled;
      const Bytes traffic = rotary_work(x.tokens, rotary_heads, x.element).bytes * (fused ? 1.0 : 3.0);
      Op& op = b.stream("rotary", OpGroup::other, traffic, traffic, Bytes{}, fused ? 2 : 10, fused ? 2 : 10);
      op.forward_kernel = op.backward_kernel = StreamKernel::rotary;
    }
    core_attention(b, x, {.batch = x.batch, .heads = a, .kv_heads = kv, .seq_q = x.seq / x.cp, .seq_kv = seq_kv, .head_dim = d, .v_head_dim = d,
                          .causal = causal, .window = window ? static_cast<double>(model_.sliding_window) : 0.0});
    b.linear("attention output", OpGroup::other,
             {.rows = x.tokens, .in = a * d, .out = h(), .bias = model_.attention_output_bias, .frozen = x.frozen, .saves_input = x.unfused});
    lora(b, x, x.tokens, a * d, h(), x.unfused);  // flash attention keeps its own output
  }

  /// DeepSeek-V2 section 2.1: the down projections are not split over the tensor group.
  void latent_attention(LayerBuilder& b, const TransformerShard& x, double seq_kv, bool causal) const {
    const LatentAttention& m = *model_.latent_attention;
    const double a = static_cast<double>(model_.num_heads) / x.tp;
    const double nope = static_cast<double>(m.qk_nope_head_dim), rope = static_cast<double>(m.qk_rope_head_dim), v = static_cast<double>(m.v_head_dim);
    const double ql = static_cast<double>(m.q_lora_rank), kl = static_cast<double>(m.kv_lora_rank);
    if (ql > 0) {
      b.linear("query down", OpGroup::other, {.rows = x.norm_tokens, .in = h(), .out = ql, .frozen = x.frozen});
      b.norm("query norm", x.norm_tokens, ql, false);
      b.linear("query up", OpGroup::latent_up, {.rows = x.tokens, .in = ql, .out = a * (nope + rope), .frozen = x.frozen});
    } else {
      b.linear("query", OpGroup::other, {.rows = x.tokens, .in = h(), .out = a * (nope + rope), .frozen = x.frozen});
    }
    b.linear("key value down", OpGroup::other, {.rows = x.norm_tokens, .in = h(), .out = kl + rope, .frozen = x.frozen, .saves_input = ql <= 0});
    b.norm("key value norm", x.norm_tokens, kl, false);
    b.linear("key value up", OpGroup::latent_up, {.rows = x.tokens, .in = kl, .out = a * (nope + v), .frozen = x.frozen});
    // rotary on the rope part, and the copies that put nope and rope parts side by side
    const double width = x.tokens * a * (2.0 * (nope + rope) + v);
    b.stream("rotary and concatenate", OpGroup::latent_up, Bytes{2.0 * width * x.element}, Bytes{2.0 * width * x.element}, Bytes{}, 4, 4);
    core_attention(b, x, {.batch = x.batch, .heads = a, .kv_heads = a, .seq_q = x.seq / x.cp, .seq_kv = seq_kv, .head_dim = nope + rope, .v_head_dim = v,
                          .causal = causal, .window = 0});
    b.linear("attention output", OpGroup::other, {.rows = x.tokens, .in = a * v, .out = h(), .frozen = x.frozen, .saves_input = x.unfused});
  }

  void core_attention(LayerBuilder& b, const TransformerShard& x, AttentionShape shape) const {
    if (x.cp > 1 && !facts_.overlap_context) return ring_attention(b, x, shape);
    const double keys = shape.seq_kv;
    const bool causal = shape.causal;
    if (x.cp > 1 && causal && !x.unfused) {  // balanced chunks: every rank sees half of the keys on average
      shape.causal = false;
      shape.seq_kv = keys / 2.0;
    }
    const Work w = flash_attention_work(shape.batch, shape.heads, shape.kv_heads, shape.seq_q, keys / x.cp, shape.head_dim, shape.v_head_dim,
                                        false, x.element);
    if (!x.unfused) {
      Op op;
      op.name = "attention";
      op.kind = OpKind::attention;
      op.group = OpGroup::other;  // recomputes its scores by itself; q, k, v and the output are kept
      op.attention = shape;
      op.saved = w.saved;
      op.forward_kernels = x.cp;
      op.backward_kernels = 3.0 * x.cp;
      b.layer().ops.push_back(op);
      if (x.cp > 1) ring_merges(b, x, shape, causal);
    } else {
      unfused_attention(b, x, shape);
    }
    if (x.cp > 1) {  // ring exchange of keys and values; the backward pass also returns their gradients
      const double kv = x.batch * shape.kv_heads * (keys / x.cp) * (shape.head_dim + shape.v_head_dim) * x.element;
      b.message(Group::context, Collective::point_to_point, kv, x.cp - 1, 2.0 * (x.cp - 1), x.cp - 1);
    }
  }

  /// The steps of a ring, each with its own output, summed as it goes (TransformerEngine, context_parallel.py, flash_attn_fwd_out_correction,
  /// one fused kernel: two reads and a write; dq, dk and dv likewise).  Under a causal mask the steps after the first have three quarters of
  /// the rows on average: keys of earlier ranks meet all queries, those of later ranks half of them.
  void ring_merges(LayerBuilder& b, const TransformerShard& x, const AttentionShape& s, bool causal) const {
    const double q = x.tokens * s.heads * s.v_head_dim, kv = x.tokens * s.kv_heads * (s.head_dim + s.v_head_dim);
    const double merged = (x.cp - 1.0) * (causal ? 0.75 : 1.0);
    b.stream("ring merges", OpGroup::other, Bytes{x.element * q * (2.0 + 3.0 * merged)}, Bytes{x.element * 3.0 * (q + kv) * merged}, Bytes{},
             2.0 * x.cp, 2.0 * (x.cp - 1.0));
  }

  /// The ring of src/train/ring_attention.cpp: a rank holds pieces r and 2 cp - 1 - r of 2 cp; each step attends block by block, two of the
  /// 2 cp + 1 blocks under the mask, and merges what it finds.  The backward pass moves keys, values and their gradients in fp32.
  void ring_attention(LayerBuilder& b, const TransformerShard& x, const AttentionShape& whole) const {
    const double piece = whole.seq_kv / (2.0 * x.cp), blocks = 2.0 * x.cp + 1.0;
    AttentionShape shape = whole;
    shape.seq_q = shape.seq_kv = piece;
    for (const bool masked : {true, false}) {
      Op op;
      op.name = "attention";
      op.kind = OpKind::attention;
      op.times = masked ? 2.0 : blocks - 2.0;
      shape.causal = masked;
      op.attention = shape;
      b.layer().ops.push_back(op);
    }
    const double q = x.tokens * whole.heads * whole.head_dim, kv = x.tokens * whole.kv_heads * whole.head_dim, row = q + 2.0 * kv;
    const Work kept = flash_attention_work(whole.batch, whole.heads, whole.kv_heads, whole.seq_q, whole.seq_kv / x.cp, whole.head_dim, whole.v_head_dim, false, x.element);
    // forward: pack keys; zero and narrow the sum; read, read and write of half the rows for each block.  Backward: for each block zero and add
    // the gradients of all rows (dq in the layout of qkv, dk, dv), and spread them at the end
    const double forward = 4.0 * kv * x.element + q * (8.0 + x.element) + blocks * 0.5 * q * (8.0 + x.element);
    const double backward = 4.0 * kv * x.element + blocks * (row + 2.0 * kv) * (2.0 * x.element + 8.0) + row * (4.0 + x.element);
    b.stream("ring sums", OpGroup::other, Bytes{forward}, Bytes{backward}, kept.saved, blocks + 2.0, 3.0 * blocks + 2.0);
    b.message(Group::context, Collective::point_to_point, 2.0 * kv * x.element, x.cp - 1, x.cp - 1, x.cp - 1);
    b.message(Group::context, Collective::point_to_point, 2.0 * kv * 4.0, 0, x.cp, 0);
  }

  /// Scores in memory: batched products, scale + mask + softmax, dropout.  Saves 5 a s^2 b bytes (Korthikanti et al. 2022, eq. 1).
  void unfused_attention(LayerBuilder& b, const TransformerShard& x, const AttentionShape& s) const {
    const double heads = s.batch * s.heads, scores = heads * s.seq_q * s.seq_kv;
    const double kept = s.batch * x.element * (s.heads * s.seq_q * s.head_dim + s.kv_heads * (s.seq_kv / x.cp) * (s.head_dim + s.v_head_dim));
    Op& qk = product_without_weight(b, "scores", heads, s.seq_q, s.seq_kv, s.head_dim);
    qk.group = OpGroup::attention_core;
    b.layer().ops.back().saved = Bytes{};
    b.stream("query key value kept", OpGroup::other, Bytes{}, Bytes{}, Bytes{kept}, 0, 0);
    softmax(b, heads, scores, softmax_work(heads * s.seq_q, s.seq_kv, x.element));
    if (facts_.dropout) {
      const Work drop = dropout_work(scores, x.element);
      b.stream("attention dropout", OpGroup::attention_core, drop.bytes, drop.bytes, drop.saved + Bytes{scores * x.element}, 1, 1);
    }
    Op& pv = product_without_weight(b, "weighted sum", heads, s.seq_q, s.v_head_dim, s.seq_kv);
    pv.group = OpGroup::attention_core;
  }

  /// Megatron's kernel of scale, mask and softmax takes matrices (heads x sequences) in fours; other counts go through fp32 in single passes,
  /// over each value: widen (2 + 4 B), scale (8), mask (9), softmax (8), narrow (6); backward the same five, softmax with 12
  /// (NVIDIA/Megatron-LM megatron/model/fused_softmax.py, is_kernel_available and forward_torch_softmax).
  void softmax(LayerBuilder& b, double heads, double scores, const Work& fused) const {
    if (std::fmod(heads, 4.0) == 0.0) {
      b.stream("softmax", OpGroup::attention_core, fused.bytes, fused.bytes * 1.5, fused.saved, 1, 1);
    } else {
      b.stream("softmax", OpGroup::attention_core, Bytes{scores * 37.0}, Bytes{scores * 41.0}, fused.saved, 5, 5);
    }
  }

  Op& product_without_weight(LayerBuilder& b, const char* name, double batch, double m, double n, double k) const {
    Op op;
    op.name = name;
    op.kind = OpKind::product;
    op.precision = LayerBuilder::plain(strategy_.precision);
    op.product = {.m = m, .n = n, .k = k, .batch = batch};
    op.has_weight = false;
    b.layer().ops.push_back(op);
    return b.layer().ops.back();
  }

  void activation(LayerBuilder& b, double tokens, double ffn, OpGroup group) const {
    const Work w = activation_work(tokens, ffn, model_.gated_mlp, b.element());
    const bool fused = facts_.fused_elementwise || task_.compiled;
    // backward: gradient and inputs read, input gradients written; unfused: bias add, and for gated the product, on their own
    const double values = tokens * ffn * b.element();
    const double extra = fused ? 0.0 : (model_.gated_mlp ? 3.0 : (has_bias() ? 2.0 : 0.0));
    Op& op = b.stream("activation", group, w.bytes + Bytes{extra * values}, Bytes{values * ((model_.gated_mlp ? 5.0 : 3.0) + extra)}, w.saved + Bytes{fused || !model_.gated_mlp ? 0.0 : values},
             fused ? 1 : 2, fused ? 1 : 2);
    op.forward_kernel = model_.gated_mlp ? StreamKernel::swiglu : StreamKernel::gelu;
    op.backward_kernel = model_.gated_mlp ? StreamKernel::swiglu_backward : StreamKernel::gelu_backward;
  }

  /// Biases of experts (gpt-oss) are added expert by expert, weighted with the router's fp32 probability: b p (write fp32), add (read 2 + 4,
  /// write 4), concatenate (4 + 4), cast back (4 + 2) = 28 B a value; backward cast, and the gradients of input, probability and bias,
  /// 36 B (NVIDIA/Megatron-LM core/transformer/moe/experts.py of 2025, TEGroupedMLP._apply_bias, recalled and not read again;
  /// the mechanism was looked for because gpt-oss rows ran 30 % slower than predicted).
  void expert_bias(LayerBuilder& b, double values, double local) const {
    if (model_.mlp_bias) b.stream("expert bias", OpGroup::other, Bytes{values * 28.0}, Bytes{values * 36.0}, Bytes{}, 3.0 * local + 2.0, 5.0 * local + 2.0);
  }

  void mlp_block(LayerBuilder& b, const TransformerShard& x, double ffn_total, OpGroup product_group, OpGroup activation_group, bool whole_block) const {
    const double ffn = ffn_total / x.tp;
    if (whole_block && !model_.parallel_residual) b.norm("mlp norm", x.norm_tokens, h(), has_bias());
    b.linear("mlp up", product_group, {.rows = x.tokens, .in = h(), .out = ffn * (model_.gated_mlp ? 2.0 : 1.0), .bias = model_.mlp_bias, .separate_bias = facts_.separate_bias,
                                       .frozen = x.frozen, .saves_input = whole_block && !model_.parallel_residual, .saved_rows = x.norm_tokens});
    activation(b, x.tokens, ffn, activation_group);
    b.linear("mlp down", product_group, {.rows = x.tokens, .in = ffn, .out = h(), .bias = model_.mlp_bias, .frozen = x.frozen});
    if (!whole_block) return;
    if (!model_.parallel_residual) tensor_messages(b, x, x.tokens);
    residual(b, x);
  }

  /// Router, dispatch, grouped products, combine.  Tokens arrive split by the tensor group (sequence parallel) or are split for dispatch.
  void expert_block(LayerBuilder& b, const TransformerShard& x) const {
    const Experts& e = *model_.experts;
    const double top = static_cast<double>(e.experts_per_token), count = static_cast<double>(e.num_experts);
    const double own = x.tokens / (x.tp > 1 ? x.tp : 1.0);  // tokens that this device routes
    const double routed = own * top * task_.expert_imbalance;
    b.norm("mlp norm", x.norm_tokens, h(), has_bias());
    b.linear("router", OpGroup::router, {.rows = own, .in = h(), .out = count, .saves_input = false, .low_precision = false});
    b.stream("top-k and softmax", OpGroup::router, Bytes{own * count * 4.0 * 6.0}, Bytes{own * count * 4.0 * 4.0}, Bytes{own * count * 8.0}, 12, 8);
    const Work move = permute_work(own, top, h(), x.element);  // every token is read once and written to each of its experts; the way back sums
    b.stream("permute", OpGroup::other, move.bytes, move.bytes, Bytes{}, 3, 3);
    if (x.ep > 1) {
      dispatch_messages(b, e, routed * h(), x.element);
      // tokens arrive by rank and are put in expert order, and back: read + write, twice; a fused dispatcher writes them in place
      const Bytes sort{facts_.fused_dispatch ? 0.0 : 2.0 * 2.0 * routed * h() * x.element};
      if (!facts_.fused_dispatch) b.stream("sort by expert", OpGroup::other, sort, sort, Bytes{}, 4, 4);
    }
    const double gathered = routed * x.etp;  // every rank of an expert's tensor group sees its tokens
    if (x.etp > 1) {
      b.message(Group::expert_tensor, Collective::all_gather, gathered * h() * x.element, 1, 1, 1);
      b.message(Group::expert_tensor, Collective::reduce_scatter, gathered * h() * x.element, 1, 1, 1);
    }
    // alive at once in the backward pass: the tokens as dispatched, sorted, their gradients, and both of the combine
    b.layer().workspace = Bytes{5.0 * routed * h() * x.element};
    const double local = std::max(1.0, count / x.ep), ffn = static_cast<double>(e.expert_ffn_hidden_size) / x.etp;
    b.linear("experts up", OpGroup::expert_product, {.rows = gathered / local, .in = h(), .out = ffn * (model_.gated_mlp ? 2.0 : 1.0), .experts = local, .frozen = x.frozen});
    expert_bias(b, gathered * (ffn * (model_.gated_mlp ? 2.0 : 1.0) + h()), local);
    activation(b, gathered, ffn, OpGroup::expert_activation);
    b.linear("experts down", OpGroup::expert_product, {.rows = gathered / local, .in = ffn, .out = h(), .experts = local, .frozen = x.frozen});
    b.stream("combine", OpGroup::other, move.bytes, move.bytes, x.ep > 1 ? Bytes{} : Bytes{routed * h() * x.element}, 3, 3);
    if (e.shared_ffn_hidden_size > 0) {
      mlp_block(b, x, static_cast<double>(e.shared_ffn_hidden_size), OpGroup::shared_product, OpGroup::shared_product, false);
      tensor_messages(b, x, x.tokens);
    }
    residual(b, x);
  }

  /// Dispatch and combine, one all-to-all each per pass.  A fused dispatcher sends a token once to each rank and node that it visits, and
  /// in a low-precision run dispatches in that format.
  void dispatch_messages(LayerBuilder& b, const Experts& e, double values, double element) const {
    const double out = facts_.fused_dispatch && is_low_precision(strategy_.precision) ? operand_bytes(strategy_.precision) : element;
    b.message(Group::expert, Collective::all_to_all, values * out, 1, 0, 1);        // dispatch
    b.message(Group::expert, Collective::all_to_all, values * element, 1, 2, 1);    // combine; both gradients
    if (!facts_.fused_dispatch) return;
    for (Message& m : b.layer().messages) {
      if (m.group != Group::expert) continue;
      m.visits = static_cast<double>(e.experts_per_token);
      m.most_domains = e.num_groups > 1 ? static_cast<double>(e.groups_per_token) : m.visits;
    }
  }

  const Transformer& model_;
  const Strategy& strategy_;
  const Task& task_;
  const StackFacts& facts_;
};

}  // namespace

LoweredModel lower_transformer(const Transformer& model, const Strategy& strategy, const Task& task, const StackFacts& facts) {
  return TransformerLowering(model, strategy, task, facts).run();
}

}  // namespace reckon
