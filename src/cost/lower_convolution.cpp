// Convolutional networks: ResNet-50 and the diffusion U-Net.  Data parallel only; the whole network is one stage.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "cost/layer_builder.hpp"
#include "cost/lower.hpp"

namespace reckon {
namespace {

/// Ops of a convolutional network on one device.
class ConvolutionBuilder {
 public:
  ConvolutionBuilder(const Strategy& strategy, const StackFacts& facts)
      : builder_(LayerBuilder::plain(strategy.precision), facts, activation_bytes(strategy.precision)),
        batch_(static_cast<double>(strategy.micro_batch_size)),
        fused_batch_norm_(facts.fused_batch_norm) {}

  struct Convolution {
    double out_side, in, out, kernel;
    double stride = 1;
    bool bias = false, first = false;
  };
  /// Implicit product; the unfolded input is not materialised, so the traffic is that of the images (work.hpp convolution_work).  Three
  /// channels are read as four (MLPerf's NHWC input layer, image shape 4 x 224 x 224).
  void convolution(const char* name, const Convolution& c) {
    const double pixels = batch_ * c.out_side * c.out_side, taps = c.kernel * c.kernel;
    Op& op = builder_.linear(name, OpGroup::other, {.rows = pixels, .in = c.in * taps, .out = c.out, .bias = c.bias, .first = c.first, .saves_input = false});
    op.taps = taps;
    op.product.k = std::ceil(c.in / 4.0) * 4.0 * taps;
    op.product.held_a = std::min(1.0, c.stride * c.stride / taps);  // a stride beyond the kernel skips pixels
    op.saved = Bytes{pixels * c.stride * c.stride * c.in * builder_.element()};
  }
  void linear(const char* name, double rows, double in, double out, bool bias) { builder_.linear(name, OpGroup::other, {.rows = rows, .in = in, .out = out, .bias = bias}); }

  /// Batch norm (+ ReLU, + residual): statistics read the input once more than layer norm does.  Fused, the convolution before it takes the
  /// statistics and the one after it scales what it reads; only where a residual joins a pass of its own reads both and writes the sum.
  void batch_norm(double side, double channels, bool residual) {
    const double values = batch_ * side * side * channels * builder_.element();
    const double apart = fused_batch_norm_ ? (residual ? 3.0 : 0.0) : 3.0 + (residual ? 1.0 : 0.0);
    builder_.stream("batch norm", OpGroup::norm, Bytes{values * apart}, Bytes{values * (5.0 + (residual ? 1.0 : 0.0))}, Bytes{values}, 2, 2);
    parameters(2.0 * channels);
  }
  /// Group norm + SiLU over NCHW or NHWC images.
  void group_norm(double side, double channels) {
    const double values = batch_ * side * side * channels * builder_.element();
    builder_.stream("group norm", OpGroup::norm, Bytes{values * 5.0}, Bytes{values * 8.0}, Bytes{values * 2.0}, 3, 4);
    parameters(2.0 * channels);
  }
  void layer_norm(double rows, double columns) { builder_.norm("layer norm", rows, columns, true); }
  void elementwise(const char* name, double values, double passes, double saves) {
    builder_.stream(name, OpGroup::other, Bytes{values * passes * builder_.element()}, Bytes{values * passes * builder_.element()}, Bytes{values * saves * builder_.element()});
  }
  void attention(double heads, double head_dim, double seq_q, double seq_kv) {
    Op op;
    op.name = "attention";
    op.kind = OpKind::attention;
    op.attention = {.batch = batch_, .heads = heads, .kv_heads = heads, .seq_q = seq_q, .seq_kv = seq_kv, .head_dim = head_dim, .v_head_dim = head_dim, .causal = false, .window = 0};
    op.saved = flash_attention_work(batch_, heads, heads, seq_q, seq_kv, head_dim, head_dim, false, builder_.element()).saved;
    op.backward_kernels = 3;
    builder_.layer().ops.push_back(op);
  }
  double batch() const { return batch_; }
  LoweredLayer take() { return builder_.take(); }

 private:
  void parameters(double n) { builder_.layer().parameters += n, builder_.layer().trainable += n; }
  LayerBuilder builder_;
  double batch_;
  bool fused_batch_norm_;
};

LoweredModel one_stage(LoweredLayer whole) {
  LoweredModel out;
  out.kinds.push_back(std::move(whole));
  out.order.push_back(0);
  return out;
}

}  // namespace

/// Bottleneck blocks 1x1, 3x3 (stride here: v1.5), 1x1, projected shortcut at each stage's first block.
LoweredModel lower_resnet(const ResNet& model, const Strategy& strategy, const Task&, const StackFacts& facts) {
  ConvolutionBuilder b(strategy, facts);
  const double expansion = static_cast<double>(model.bottleneck_expansion);
  double side = static_cast<double>(model.image_size) / 2.0, in = static_cast<double>(model.stem_channels), width = in;
  b.convolution("stem", {.out_side = side, .in = 3, .out = in, .kernel = 7, .stride = 2, .first = true});
  b.batch_norm(side, in, false);
  side /= 2.0;
  b.elementwise("max pool", b.batch() * side * side * in, 5.0, 1.0);
  for (std::size_t stage = 0; stage < model.stage_blocks.size(); ++stage) {
    for (std::int64_t block = 0; block < model.stage_blocks[stage]; ++block) {
      const double out_side = (stage > 0 && block == 0) ? side / 2.0 : side;
      b.convolution("reduce", {.out_side = side, .in = in, .out = width, .kernel = 1});
      b.batch_norm(side, width, false);
      b.convolution("spatial", {.out_side = out_side, .in = width, .out = width, .kernel = 3, .stride = side / out_side});
      b.batch_norm(out_side, width, false);
      b.convolution("expand", {.out_side = out_side, .in = width, .out = width * expansion, .kernel = 1});
      b.batch_norm(out_side, width * expansion, true);
      if (block == 0) {
        b.convolution("shortcut", {.out_side = out_side, .in = in, .out = width * expansion, .kernel = 1, .stride = side / out_side});
        b.batch_norm(out_side, width * expansion, false);
      }
      side = out_side;
      in = width * expansion;
    }
    width *= 2.0;
  }
  b.elementwise("average pool", b.batch() * side * side * in, 1.0, 0.0);
  b.linear("classifier", b.batch(), in, static_cast<double>(model.num_classes), true);
  return one_stage(b.take());
}

namespace {

class UNetLowering {
 public:
  UNetLowering(const UNet& model, const Strategy& strategy, const StackFacts& facts) : m_(model), b_(strategy, facts) {}

  LoweredLayer run() {
    double side = static_cast<double>(m_.latent_size);
    const double base = static_cast<double>(m_.model_channels);
    time_dim_ = 4.0 * base;
    b_.linear("time embedding 1", b_.batch(), base, time_dim_, true);
    b_.linear("time embedding 2", b_.batch(), time_dim_, time_dim_, true);
    if (m_.pooled_dim > 0) {
      b_.linear("vector embedding 1", b_.batch(), static_cast<double>(m_.pooled_dim), time_dim_, true);
      b_.linear("vector embedding 2", b_.batch(), time_dim_, time_dim_, true);
    }
    b_.convolution("input", {.out_side = side, .in = static_cast<double>(m_.in_channels), .out = base, .kernel = 3, .bias = true, .first = true});
    std::vector<double> skips{base};
    double channels = base;
    const std::size_t levels = m_.channel_mult.size();
    for (std::size_t level = 0; level < levels; ++level) {
      const double out = base * static_cast<double>(m_.channel_mult[level]);
      for (std::int64_t i = 0; i < m_.num_res_blocks; ++i) {
        residual_block(side, channels, out);
        channels = out;
        if (attends(level)) transformer(side, channels, depth(level));
        skips.push_back(channels);
      }
      if (level + 1 < levels) {
        side /= 2.0;
        b_.convolution("down", {.out_side = side, .in = channels, .out = channels, .kernel = 3, .stride = 2, .bias = true});
        skips.push_back(channels);
      }
    }
    residual_block(side, channels, channels);
    transformer(side, channels, std::max<std::int64_t>(1, depth(levels - 1)));
    residual_block(side, channels, channels);
    for (std::size_t up = 0; up < levels; ++up) {
      const std::size_t level = levels - 1 - up;
      const double out = base * static_cast<double>(m_.channel_mult[level]);
      for (std::int64_t i = 0; i <= m_.num_res_blocks; ++i) {
        const double skip = skips.back();
        skips.pop_back();
        b_.elementwise("concatenate", b_.batch() * side * side * (channels + skip), 2.0, 0.0);
        residual_block(side, channels + skip, out);
        channels = out;
        if (attends(level)) transformer(side, channels, depth(level));
      }
      if (level > 0) {
        side *= 2.0;
        b_.convolution("up", {.out_side = side, .in = channels, .out = channels, .kernel = 3, .bias = true});
      }
    }
    b_.group_norm(side, channels);
    b_.convolution("output", {.out_side = side, .in = channels, .out = static_cast<double>(m_.in_channels), .kernel = 3, .bias = true});
    return b_.take();
  }

 private:
  bool attends(std::size_t level) const {
    const std::int64_t factor = std::int64_t{1} << level;
    return depth(level) > 0 && std::find(m_.attention_resolutions.begin(), m_.attention_resolutions.end(), factor) != m_.attention_resolutions.end();
  }
  std::int64_t depth(std::size_t level) const { return level < m_.transformer_depth.size() ? m_.transformer_depth[level] : 1; }

  void residual_block(double side, double in, double out) {
    b_.group_norm(side, in);
    b_.convolution("residual 1", {.out_side = side, .in = in, .out = out, .kernel = 3, .bias = true});
    b_.linear("time projection", b_.batch(), time_dim_, out, true);
    b_.elementwise("add time", b_.batch() * side * side * out, 2.0, 0.0);
    b_.group_norm(side, out);
    b_.convolution("residual 2", {.out_side = side, .in = out, .out = out, .kernel = 3, .bias = true});
    if (in != out) b_.convolution("shortcut", {.out_side = side, .in = in, .out = out, .kernel = 1, .bias = true});
    b_.elementwise("add", b_.batch() * side * side * out, 3.0, 0.0);
  }

  void transformer(double side, double channels, std::int64_t blocks) {
    const double tokens = side * side, rows = b_.batch() * tokens, context = static_cast<double>(m_.context_dim);
    const double heads = m_.num_heads > 0 ? static_cast<double>(m_.num_heads) : std::max(1.0, channels / static_cast<double>(std::max<std::int64_t>(1, m_.num_head_channels)));
    const double head_dim = channels / heads, text = static_cast<double>(m_.context_len);
    b_.group_norm(side, channels);
    b_.linear("project in", rows, channels, channels, true);
    for (std::int64_t i = 0; i < blocks; ++i) {
      b_.layer_norm(rows, channels);
      b_.linear("self qkv", rows, channels, 3.0 * channels, false);
      b_.attention(heads, head_dim, tokens, tokens);
      b_.linear("self output", rows, channels, channels, true);
      b_.elementwise("add", rows * channels, 3.0, 0.0);
      b_.layer_norm(rows, channels);
      b_.linear("cross query", rows, channels, channels, false);
      b_.linear("cross key value", b_.batch() * text, context, 2.0 * channels, false);
      b_.attention(heads, head_dim, tokens, text);
      b_.linear("cross output", rows, channels, channels, true);
      b_.elementwise("add", rows * channels, 3.0, 0.0);
      b_.layer_norm(rows, channels);
      b_.linear("geglu up", rows, channels, 8.0 * channels, true);
      b_.elementwise("geglu", rows * 4.0 * channels, 3.0, 2.0);
      b_.linear("geglu down", rows, 4.0 * channels, channels, true);
      b_.elementwise("add", rows * channels, 3.0, 0.0);
    }
    b_.linear("project out", rows, channels, channels, true);
    b_.elementwise("add", rows * channels, 3.0, 0.0);
  }

  const UNet& m_;
  ConvolutionBuilder b_;
  double time_dim_ = 0;
};

}  // namespace

LoweredModel lower_unet(const UNet& model, const Strategy& strategy, const Task&, const StackFacts& facts) {
  return one_stage(UNetLowering(model, strategy, facts).run());
}

}  // namespace reckon
