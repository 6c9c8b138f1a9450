// The weights of convolutional networks, in the order in which an image passes through them.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "catalog/weight_shapes.hpp"

namespace reckon {
namespace {

double number(std::int64_t n) { return static_cast<double>(n); }

/// Collects the weights of images of `side` x `side` pixels.  A convolution is a product of side^2 rows with in k^2 x out weights.
class Collector {
 public:
  void convolution(double side, double in, double out, double kernel, bool bias) { product(side * side, in * kernel * kernel, out, bias); }
  void product(double rows, double in, double out, bool bias, WeightUse use = WeightUse::other) {
    shapes.push_back({.use = use, .kind = WeightKind::product, .rows = rows, .in = in, .out = out, .bias = bias});
  }
  /// Batch, group or layer norm: weight and bias.
  void norm(double channels) { shapes.push_back({.use = WeightUse::norms, .kind = WeightKind::table, .in = 2, .out = channels}); }
  void attention(double queries, double keys, double width) {
    shapes.push_back({.use = WeightUse::attention, .kind = WeightKind::attention, .rows = queries, .in = keys, .out = 2 * width});
  }

  WeightShapes shapes;
};

/// A stage's side after a stride of 2 with "same" padding.
double halved(double side) { return std::ceil(side / 2.0); }

class UNetWeights {
 public:
  explicit UNetWeights(const UNet& model) : m_(model), time_(4.0 * number(model.model_channels)), side_(number(model.latent_size)) {}

  WeightShapes take() {
    const double base = number(m_.model_channels);
    c_.product(1, base, time_, true);
    c_.product(1, time_, time_, true);
    if (m_.pooled_dim > 0) {
      c_.product(1, number(m_.pooled_dim), time_, true);
      c_.product(1, time_, time_, true);
    }
    c_.convolution(side_, number(m_.in_channels), base, 3, true);
    channels_ = base;
    skips_.push_back(base);
    const std::size_t levels = m_.channel_mult.size();
    for (std::size_t level = 0; level < levels; ++level) down(level, level + 1 == levels);
    residual_block(channels_, channels_);
    transformer(channels_, std::max<std::int64_t>(1, m_.transformer_depth.back()));
    residual_block(channels_, channels_);
    for (std::size_t level = levels; level-- > 0;) up(level);
    c_.norm(channels_);
    c_.convolution(side_, channels_, number(m_.out_channels), 3, true);
    return std::move(c_.shapes);
  }

 private:
  double width(std::size_t level) const { return number(m_.model_channels * m_.channel_mult[level]); }
  bool attends(std::size_t level) const {
    const std::int64_t factor = std::int64_t{1} << level;
    return std::find(m_.attention_resolutions.begin(), m_.attention_resolutions.end(), factor) != m_.attention_resolutions.end();
  }

  void down(std::size_t level, bool last) {
    for (std::int64_t i = 0; i < m_.num_res_blocks; ++i) {
      residual_block(channels_, width(level));
      if (attends(level)) transformer(channels_, m_.transformer_depth[level]);
      skips_.push_back(channels_);
    }
    if (last) return;
    side_ = halved(side_);
    c_.convolution(side_, channels_, channels_, 3, true);
    skips_.push_back(channels_);
  }

  void up(std::size_t level) {
    for (std::int64_t i = 0; i <= m_.num_res_blocks; ++i) {
      const double skip = skips_.back();
      skips_.pop_back();
      residual_block(channels_ + skip, width(level));
      if (attends(level)) transformer(channels_, m_.transformer_depth[level]);
    }
    if (level == 0) return;
    side_ *= 2;
    c_.convolution(side_, channels_, channels_, 3, true);
  }

  /// Norm, convolution, time embedding added, norm, convolution, and a 1x1 convolution where the width changes.
  void residual_block(double in, double out) {
    c_.norm(in);
    c_.convolution(side_, in, out, 3, true);
    c_.product(1, time_, out, true);
    c_.norm(out);
    c_.convolution(side_, out, out, 3, true);
    if (in != out) c_.convolution(side_, in, out, 1, true);
    channels_ = out;
  }

  /// Spatial transformer: norm, projection in, `depth` blocks of self-attention, attention to the text and a gated MLP, projection out.
  void transformer(double c, std::int64_t depth) {
    const double pixels = side_ * side_, text = number(m_.context_len), context = number(m_.context_dim);
    c_.norm(c);
    c_.product(pixels, c, c, true, WeightUse::attention);
    for (std::int64_t i = 0; i < depth; ++i) {
      for (int n = 0; n < 3; ++n) c_.norm(c);
      for (int n = 0; n < 3; ++n) c_.product(pixels, c, c, false, WeightUse::attention);
      c_.attention(pixels, pixels, c);
      c_.product(pixels, c, c, true, WeightUse::attention);
      c_.product(pixels, c, c, false, WeightUse::attention);
      for (int n = 0; n < 2; ++n) c_.product(text, context, c, false, WeightUse::attention);
      c_.attention(pixels, text, c);
      c_.product(pixels, c, c, true, WeightUse::attention);
      c_.product(pixels, c, 8 * c, true, WeightUse::dense_mlp);
      c_.product(pixels, 4 * c, c, true, WeightUse::dense_mlp);
    }
    c_.product(pixels, c, c, true, WeightUse::attention);
  }

  const UNet& m_;
  double time_, side_, channels_ = 0;
  std::vector<double> skips_;
  Collector c_;
};

}  // namespace

WeightShapes weight_shapes(const ResNet& model) {
  Collector c;
  double side = halved(number(model.image_size)), in = number(model.stem_channels);
  c.convolution(side, number(model.image_channels), in, 7, false);
  c.norm(in);
  side = halved(side);  // max pooling
  double width = in;
  for (std::size_t stage = 0; stage < model.stage_blocks.size(); ++stage, width *= 2) {
    const double out = model.bottleneck ? width * number(model.bottleneck_expansion) : width;
    for (std::int64_t block = 0; block < model.stage_blocks[stage]; ++block) {
      const double before = side;
      if (stage > 0 && block == 0) side = halved(side);
      if (model.bottleneck) c.convolution(before, in, width, 1, false), c.norm(width);
      c.convolution(side, model.bottleneck ? width : in, width, 3, false);
      c.norm(width);
      c.convolution(side, width, out, model.bottleneck ? 1 : 3, false);
      c.norm(out);
      if (in != out || before != side) c.convolution(side, in, out, 1, false), c.norm(out);
      in = out;
    }
  }
  if (model.num_classes > 0) c.product(1, in, number(model.num_classes), true, WeightUse::output_head);
  return std::move(c.shapes);
}

WeightShapes weight_shapes(const UNet& model) { return UNetWeights(model).take(); }

}  // namespace reckon
