// ResNet and U-Net descriptions.
// SPDX-License-Identifier: Apache-2.0
#include "io/hugging_face_images.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace reckon {
namespace {

// Bounds on the number of layers that are listed one by one; the largest known have 4 levels, 3 blocks, depth 10, 36 blocks a stage.
constexpr std::int64_t most_levels = 8, most_blocks = 32, most_depth = 64, most_stage_blocks = 1000;

void need_text(Fields& f, std::string_view name, const std::string& wanted) {
  const std::string found = f.text(name, wanted);
  if (found != wanted) f.fail(name, fmt::format("'{}' is not described by this reader", found), fmt::format("only '{}' is", wanted));
}

std::vector<std::int64_t> need_list(Fields& f, std::string_view name, std::string_view meaning, std::int64_t most) {
  std::vector<std::int64_t> values = f.wholes(name, most);
  if (values.empty()) f.fail(name, fmt::format("missing: {}", meaning), "write a list of whole numbers");
  if (static_cast<std::int64_t>(values.size()) > most_levels)
    f.fail(name, fmt::format("{} entries, at most {} are read", values.size(), most_levels));
  return values;
}

/// A list with an entry a level, or one number for all.
std::vector<std::int64_t> by_level(Fields& f, std::string_view name, std::int64_t fallback, std::size_t levels, std::int64_t most) {
  const auto node = f.any(name);
  if (!node) return std::vector<std::int64_t>(levels, fallback);
  if (node->is_number()) return std::vector<std::int64_t>(levels, node->integer(1, most));
  std::vector<std::int64_t> values = f.wholes(name, most);
  if (values.size() != levels) f.fail(name, fmt::format("{} entries for {} levels", values.size(), levels), "write one entry a level");
  return values;
}

/// Which levels of the descent attend; the ascent must mirror it.
std::vector<bool> attending_levels(Fields& f, std::size_t levels) {
  const std::vector<std::string> down = f.texts("down_block_types"), up = f.texts("up_block_types");
  if (down.size() != levels)
    f.fail("down_block_types", fmt::format("{} entries for {} levels", down.size(), levels), "write one entry a level");
  if (up.size() != levels) f.fail("up_block_types", fmt::format("{} entries for {} levels", up.size(), levels), "write one entry a level");
  std::vector<bool> attends(levels);
  for (std::size_t i = 0; i < levels; ++i) {
    if (down[i] != "CrossAttnDownBlock2D" && down[i] != "DownBlock2D")
      f.fail(fmt::format("down_block_types/{}", i), fmt::format("'{}' is not described by this reader", down[i]),
             "CrossAttnDownBlock2D and DownBlock2D are");
    attends[i] = down[i] == "CrossAttnDownBlock2D";
    const std::string mirror = attends[i] ? "CrossAttnUpBlock2D" : "UpBlock2D";
    const std::size_t at = levels - 1 - i;
    if (up[at] != mirror)
      f.fail(fmt::format("up_block_types/{}", at), fmt::format("'{}' does not mirror down block {}", up[at], i), "write " + mirror);
  }
  return attends;
}

/// The file's `attention_head_dim` is the number of heads (a misnomer that diffusers keeps); `num_attention_heads` overrides it.
void read_heads(Fields& f, UNet& u, const std::vector<std::int64_t>& channels) {
  const std::string_view name = f.has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim";
  f.any("attention_head_dim");
  const std::vector<std::int64_t> heads = by_level(f, name, 8, channels.size(), field_limit::heads);
  for (std::size_t i = 0; i < heads.size(); ++i)
    if (channels[i] % heads[i] != 0) f.fail(name, fmt::format("{} heads do not divide {} channels", heads[i], channels[i]));
  u.num_head_channels = channels[0] / heads[0];
  for (std::size_t i = 0; i < heads.size(); ++i) {
    if (channels[i] / heads[i] == u.num_head_channels) continue;
    if (std::count(heads.begin(), heads.end(), heads[0]) != static_cast<std::ptrdiff_t>(heads.size()))
      f.fail(name, "neither the number of heads nor their width is the same at all levels");
    u.num_heads = heads[0];
    u.num_head_channels = 0;
    return;
  }
}

void read_conditioning(Fields& f, UNet& u) {
  u.context_dim = f.need({"cross_attention_dim"}, "the width of the text embedding", field_limit::width);
  const std::string kind = f.text("addition_embed_type", "");
  if (kind == "text_time") {
    u.pooled_dim = f.need({"projection_class_embeddings_input_dim"}, "the width of the pooled conditioning", field_limit::width);
    f.any("addition_time_embed_dim");
  } else if (!kind.empty()) {
    f.fail("addition_embed_type", fmt::format("'{}' is not described by this reader", kind), "text_time is, or null");
  }
  if (const auto other = f.any("class_embed_type")) other->fail("class embeddings are not described by this reader", "write null");
  if (const auto other = f.any("encoder_hid_dim")) other->fail("a projected encoder is not described by this reader", "write null");
  if (f.flag("only_cross_attention", false))
    f.fail("only_cross_attention", "levels without self-attention are not described by this reader");
}

}  // namespace

ResNet read_resnet(Fields& f) {
  ResNet r;
  r.stage_blocks = need_list(f, "depths", "the blocks of each stage", most_stage_blocks);
  const std::vector<std::int64_t> widths = need_list(f, "hidden_sizes", "the output channels of each stage", field_limit::width);
  r.stem_channels = f.need({"embedding_size"}, "the channels of the stem", field_limit::width);
  r.image_channels = f.whole({"num_channels"}, 3, field_limit::width);
  r.image_size = f.whole({"image_size"}, 224, field_limit::width);
  const std::string kind = f.text("layer_type", "bottleneck");
  if (kind != "bottleneck" && kind != "basic") f.fail("layer_type", fmt::format("'{}' is unknown", kind), "write bottleneck or basic");
  r.bottleneck = kind == "bottleneck";
  if (widths.size() != r.stage_blocks.size())
    f.fail("hidden_sizes", fmt::format("{} widths for {} stages", widths.size(), r.stage_blocks.size()), "write one entry a stage");
  r.bottleneck_expansion = std::max<std::int64_t>(1, widths[0] / r.stem_channels);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const std::int64_t wanted = (r.stem_channels * r.bottleneck_expansion) << i;
    if (widths[i] != wanted || (!r.bottleneck && r.bottleneck_expansion != 1))
      f.fail(fmt::format("hidden_sizes/{}", i),
             fmt::format("{} channels: stages must double from a multiple of the stem's {}", widths[i], r.stem_channels));
  }
  if (f.flag("downsample_in_first_stage", false))
    f.fail("downsample_in_first_stage", "a stride in the first stage is not described by this reader");
  if (f.flag("downsample_in_bottleneck", false))
    f.note("the stride is in the first convolution of a block: taken in the second, 10 % more work");
  const auto table = f.object("id2label");
  f.any("label2id");
  r.num_classes = f.whole({"num_labels"}, 1000, field_limit::vocabulary, 0);
  if (table) {
    r.num_classes = static_cast<std::int64_t>(table->size());
  } else if (!f.has("num_labels")) {
    f.note("the file states no labels: 1000 classes (ImageNet) assumed");
  }
  return r;
}

UNet read_unet(Fields& f) {
  UNet u;
  const std::vector<std::int64_t> channels = need_list(f, "block_out_channels", "the channels of each level", field_limit::width);
  const std::size_t levels = channels.size();
  u.model_channels = channels[0];
  for (std::size_t i = 0; i < levels; ++i) {
    if (channels[i] % u.model_channels != 0)
      f.fail(fmt::format("block_out_channels/{}", i),
             fmt::format("{} is no multiple of the first level's {}", channels[i], u.model_channels));
    u.channel_mult.push_back(channels[i] / u.model_channels);
  }
  const std::vector<bool> attends = attending_levels(f, levels);
  for (std::size_t i = 0; i < levels; ++i)
    if (attends[i]) u.attention_resolutions.push_back(std::int64_t{1} << i);
  const std::vector<std::int64_t> blocks = by_level(f, "layers_per_block", 2, levels, most_blocks);
  if (std::count(blocks.begin(), blocks.end(), blocks[0]) != static_cast<std::ptrdiff_t>(levels))
    f.fail("layers_per_block", "levels with different numbers of blocks are not described by this reader");
  u.num_res_blocks = blocks[0];
  u.transformer_depth = by_level(f, "transformer_layers_per_block", 1, levels, most_depth);
  read_heads(f, u, channels);
  read_conditioning(f, u);
  u.in_channels = f.whole({"in_channels"}, 4, field_limit::width);
  u.out_channels = f.whole({"out_channels"}, 4, field_limit::width);
  u.latent_size = f.need({"sample_size"}, "the side of the latent", field_limit::width);
  const std::int64_t factor = std::int64_t{1} << (levels - 1);
  if (u.latent_size % factor != 0) f.fail("sample_size", fmt::format("{} cannot be halved {} times", u.latent_size, levels - 1));
  u.linear_projection = f.flag("use_linear_projection", false);
  need_text(f, "mid_block_type", "UNetMidBlock2DCrossAttn");
  need_text(f, "resnet_time_scale_shift", "default");
  f.note("text of 77 tokens (CLIP) assumed");
  return u;
}

}  // namespace reckon
