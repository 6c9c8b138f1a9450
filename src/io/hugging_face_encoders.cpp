// Encoders and encoder-decoders: BERT, RoBERTa, DistilBERT, T5, ViT.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "io/hugging_face_families.hpp"

namespace reckon {
namespace {

bool names_class(Fields& f, std::string_view ending) {
  for (const std::string& name : f.texts("architectures"))
    if (name.size() >= ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0) return true;
  return false;
}

/// The encoder with its pooler, as published totals count it; with the pre-training heads when the file is of that class.
void bert(Fields& f, Transformer& t) {
  t.token_types = f.whole({"type_vocab_size"}, 2, field_limit::vocabulary, 0);
  if (f.text("position_embedding_type", "absolute") != "absolute")
    f.fail("position_embedding_type", "only absolute positions are described by this reader");
  if (names_class(f, "ForPreTraining")) {
    t.mlm_head = true;
  } else if (names_class(f, "ForMaskedLM")) {
    f.note(
        "the file is of a masked-language class: counted as the encoder with its pooler; write \"BertForPreTraining\" in architectures to "
        "add the pre-training heads");
  }
}

/// Two rows of the position table serve padding: 514 rows for 512 tokens.
void roberta(Fields& f, Transformer& t) {
  bert(f, t);
  if (t.max_positions <= 2) f.fail("max_position_embeddings", fmt::format("{} rows leave no position: two serve padding", t.max_positions));
  t.seq_len = t.max_positions - 2;
}

void distilbert(Fields& f, Transformer& t) {
  t.num_layers = f.need({"n_layers"}, "the number of layers", field_limit::layers);
  t.hidden_size = f.need({"dim"}, "the hidden size", field_limit::width);
  t.num_heads = t.num_kv_heads = f.need({"n_heads"}, "the number of attention heads", field_limit::heads);
  t.head_dim = divided_head_dim(f, t);
  t.ffn_hidden_size = f.need({"hidden_dim"}, "the width of the MLP", field_limit::width);
  t.vocab_size = f.need({"vocab_size"}, "the size of the vocabulary", field_limit::vocabulary);
  t.max_positions = f.need({"max_position_embeddings"}, "the rows of the position table", field_limit::positions);
}

/// d_kv is the width of a head whatever d_model says; one relative position table a stack.
void t5(Fields& f, Transformer& t) {
  t.num_encoder_layers = f.need({"num_layers"}, "the number of encoder layers", field_limit::layers);
  t.num_layers = f.whole({"num_decoder_layers"}, t.num_encoder_layers, field_limit::layers);
  t.hidden_size = f.need({"d_model"}, "the hidden size", field_limit::width);
  t.num_heads = t.num_kv_heads = f.need({"num_heads"}, "the number of attention heads", field_limit::heads);
  t.head_dim = f.need({"d_kv"}, "the width of a head", field_limit::width);
  t.ffn_hidden_size = f.need({"d_ff"}, "the width of the MLP", field_limit::width);
  t.vocab_size = f.need({"vocab_size"}, "the size of the vocabulary", field_limit::vocabulary);
  t.relative_buckets = f.whole({"relative_attention_num_buckets"}, 32, field_limit::positions);
  t.max_positions = f.whole({"n_positions"}, 0, field_limit::positions);
  t.tied_embeddings = f.flag("tie_word_embeddings", t.tied_embeddings);
  const std::string kind = f.text("feed_forward_proj", t.gated_mlp ? "gated-gelu" : "relu");
  t.gated_mlp = kind.rfind("gated-", 0) == 0;
  if (f.flag("is_gated_act", t.gated_mlp) != t.gated_mlp) f.fail("is_gated_act", "contradicts feed_forward_proj " + kind);
}

std::int64_t labels(Fields& f) {
  const auto table = f.object("id2label");
  const auto stated = f.maybe({"num_labels"}, field_limit::vocabulary, 0);
  f.any("label2id");
  if (table) return static_cast<std::int64_t>(table->size());
  if (stated) return *stated;
  if (!names_class(f, "ForImageClassification")) return 0;
  f.note("the file states no labels: 2 classes, the default of its class");
  return 2;
}

/// A class token and one position a patch; a classification head when the file has labels.
void vit(Fields& f, Transformer& t) {
  t.num_layers = f.need({"num_hidden_layers"}, "the number of layers", field_limit::layers);
  t.hidden_size = f.need({"hidden_size"}, "the hidden size", field_limit::width);
  t.num_heads = t.num_kv_heads = f.need({"num_attention_heads"}, "the number of attention heads", field_limit::heads);
  t.head_dim = divided_head_dim(f, t);
  t.ffn_hidden_size = f.need({"intermediate_size"}, "the width of the MLP", field_limit::width);
  t.image_size = f.need({"image_size"}, "the side of an image in pixels", field_limit::width);
  t.patch_size = f.need({"patch_size"}, "the side of a patch in pixels", field_limit::width);
  t.image_channels = f.whole({"num_channels"}, 3, field_limit::width);
  t.qkv_bias = f.flag("qkv_bias", true);
  if (t.image_size % t.patch_size != 0)
    f.fail("patch_size", fmt::format("{} does not divide the image side {}", t.patch_size, t.image_size));
  t.seq_len = tokens_per_sample(t);
  t.max_positions = t.seq_len;
  t.num_classes = labels(f);
  t.pooler = t.num_classes == 0;
}

Transformer encoder_start() {
  Transformer t = gpt_start();
  t.causal = false;
  t.num_final_norms = 0;
  t.num_embedding_norms = 1;
  t.pooler = true;
  return t;
}
Transformer distilbert_start() {
  Transformer t = encoder_start();
  t.pooler = false;
  return t;
}
Transformer vit_start() {
  Transformer t = gpt_start();
  t.causal = t.tied_embeddings = false;
  return t;
}
Transformer t5_start(bool tied, bool gated) {
  Transformer t;
  t.norm = NormKind::rms_norm;
  t.positions = PositionKind::none;
  t.num_final_norms = 2;
  t.tied_embeddings = tied;
  t.gated_mlp = gated;
  return t;
}

}  // namespace

void append_encoder_families(std::vector<Family>& out) {
  const std::vector<Family> list{
      {"bert", "bert", encoder_start(), bert},
      {"camembert", "bert", encoder_start(), roberta},
      {"distilbert", "bert", distilbert_start(), distilbert, true},
      {"mt5", "t5", t5_start(false, true), t5, true},
      {"roberta", "bert", encoder_start(), roberta},
      {"t5", "t5", t5_start(true, false), t5, true},
      {"vit", "vit", vit_start(), vit, true},
      {"xlm-roberta", "bert", encoder_start(), roberta},
  };
  out.insert(out.end(), list.begin(), list.end());
}

}  // namespace reckon
