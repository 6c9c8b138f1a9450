// SPDX-License-Identifier: Apache-2.0
#include "app/question_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>
#include <variant>

#include "base/text.hpp"
#include "plan/interval.hpp"
#include "report/numbers.hpp"

namespace reckon {
namespace {

constexpr std::int64_t longest_default_sequence = 8192;
constexpr double batch_tolerance = 0.05;
constexpr std::string_view optimizer_names[] = {"adamw", "lamb", "sgd"};

std::string spelled(std::string_view word) { return std::string(word); }

template <class Enum>
std::vector<std::string> names_of(const std::vector<Enum>& values) {
  std::vector<std::string> out;
  for (const Enum v : values) out.emplace_back(name_of(v));
  return out;
}

Assumption stated(const ParsedOptions& options, const std::string& option, std::string name, std::string value, std::string reason) {
  if (options.given(option)) return {std::move(name), std::move(value), "given", "--" + option, ""};
  return {std::move(name), std::move(value), "default", std::move(reason), ""};
}

void settle_sequence(const ParsedOptions& options, Scene& scene, Task& task, std::vector<Assumption>& assumptions) {
  auto* t = std::get_if<Transformer>(&scene.architecture.body);
  if (t == nullptr || t->vocab_size == 0) {
    if (options.given("seq-len"))
      options.fail("seq-len", scene.architecture.name + " is not trained on sequences of tokens", "leave it out");
    if (t != nullptr) task.seq_len = t->seq_len;
    return;
  }
  task.seq_len = options.given("seq-len") ? options.count("seq-len", 1, 1 << 30) : usual_sequence_length(*t);
  if (t->positions == PositionKind::learned && t->max_positions > 0 && task.seq_len > t->max_positions)
    options.fail("seq-len", fmt::format("the model's position table has {} rows", t->max_positions),
                 fmt::format("choose at most {}", t->max_positions));
  t->seq_len = task.seq_len;
  assumptions.push_back(stated(options, "seq-len", "sequence length", grouped(task.seq_len) + " tokens", "the model's own, at most 8,192"));
}

std::int64_t settle_batch(const ParsedOptions& options, const Scene& scene, const Task& task, const std::string& option,
                          std::vector<Assumption>& assumptions) {
  const bool tokens = counts_tokens(scene.architecture);
  std::int64_t batch = 0;
  if (options.given(option)) {
    try {
      batch = batch_size(options.text(option), tokens ? task.seq_len : 0);
    } catch (const TextError& error) {
      options.fail(option, error.reason(), error.cure());
    }
  } else {
    batch = default_batch_size(task.training, parameter_count(scene.architecture).total(), task.seq_len, tokens);
  }
  const std::string value =
      tokens ? fmt::format("{} sequences = {} tokens", grouped(batch), count_text(static_cast<double>(batch * task.seq_len)))
             : grouped(batch) + " samples";
  const char* reason = task.training != Training::pretrain ? "usual for fine-tuning"
                       : tokens                            ? "usual for pre-training: 16M tokens from 20B parameters up, 4M below"
                                                           : "usual";
  assumptions.push_back(stated(options, option, "global batch", value, reason));
  return batch;
}

/// --precision; without it bf16, or fp16 where the device has no bf16.
Precision settle_precision(const ParsedOptions& options, const Scene& scene, std::vector<Assumption>& assumptions) {
  const auto usable = [&scene](Precision p) { return scene.compute.supports(p) && scene.cluster.device.peak.contains(p); };
  std::vector<std::string> all, known;
  for (const Precision p : all_precisions) {
    all.emplace_back(name_of(p));
    if (usable(p)) known.emplace_back(name_of(p));
  }
  const bool old = !usable(Precision::bf16) && usable(Precision::fp16);
  const Precision usual = old ? Precision::fp16 : Precision::bf16;
  const Precision precision = options.given("precision") ? *precision_of(options.choice("precision", all)) : usual;
  const auto require = [&](const char* option, Precision p) {
    if (!usable(p))
      options.fail(option, fmt::format("{} has no calibrated {}", scene.cluster.device.id, name_of(p)), "choose one of: " + join(known, ", "));
  };
  require("precision", precision);
  if (options.given("precisions"))
    for (const std::string& name : options.list("precisions", all)) require("precisions", *precision_of(name));
  assumptions.push_back(stated(options, "precision", "precision", spelled(name_of(precision)), old ? "the device has no bf16" : "usual"));
  return precision;
}

Optimizer optimizer_of(const std::string& name) {
  return name == "lamb" ? Optimizer::lamb : name == "sgd" ? Optimizer::sgd : Optimizer::adamw;
}

/// Figures that are recalled or assumed, with where that is said.
void add_unread(const std::string& prefix, const Provenance& provenance, const std::vector<std::pair<std::string, std::string>>& fields,
                std::vector<Assumption>& assumptions) {
  for (const auto& [field, value] : fields) {
    const Source* source = source_of(provenance, field);
    if (source != nullptr && !source->read) assumptions.push_back({prefix + " " + field, value, "estimated", source->title, source->date});
  }
}

void add_unread_place(const Cluster& c, std::vector<Assumption>& assumptions) {
  add_unread(c.device.id, c.device.provenance,
             {{"memory", format_quantity(c.device.memory)},
              {"memory_bandwidth", format_quantity(c.device.memory_bandwidth)},
              {"link_bandwidth", format_quantity(c.device.link_bandwidth)},
              {"power", format_quantity(c.device.power)}},
             assumptions);
  add_unread(c.node.id, c.node.provenance,
             {{"nics_per_node", fmt::to_string(c.node.nics_per_node)}, {"scale_up_domain", fmt::to_string(c.node.scale_up_domain)}},
             assumptions);
  add_unread(c.fabric.id, c.fabric.provenance,
             {{"nic_bandwidth", format_quantity(c.fabric.nic_bandwidth)},
              {"latency", format_quantity(c.fabric.latency)},
              {"oversubscription", significant(c.fabric.oversubscription)}},
             assumptions);
}

}  // namespace

OptionGroup training_options() {
  return {
      "What is trained",
      {{.name = "model",
        .argument = "NAME|FILE",
        .help = "a model of the catalogue, or a Hugging Face config.json (or its folder)",
        .letter = 'm'},
       {.name = "as", .argument = "FAMILY", .help = "read the config.json as this model_type, e.g. llama"},
       {.name = "name",
        .argument = "TEXT",
        .help = "what reports call the model [default: the catalogue's name, or that of the config.json's folder]"},
       {.name = "seq-len", .argument = "TOKENS", .help = "tokens of a sequence [default: the model's own, at most 8192]"},
       {.name = "training", .argument = "KIND", .fallback = "pretrain", .help = "pretrain, finetune or lora"},
       {.name = "lora-rank", .argument = "RANK", .fallback = "16", .help = "rank of the adapters, with --training lora"},
       {.name = "optimizer", .argument = "NAME", .fallback = "adamw", .help = "adamw, lamb or sgd"},
       {.name = "precision",
        .argument = "FORMAT",
        .help =
            "of the matrix products: fp32, tf32, fp16, bf16, fp8, mxfp8 or nvfp4 [default: bf16, or fp16 where the device has no bf16]"},
       {.name = "attention", .argument = "KIND", .fallback = "flash", .help = "flash or unfused"}}};
}

OptionGroup place_options() {
  return {
      "Where",
      {{.name = "cluster", .argument = "NAME", .help = "a cluster or node of the catalogue ('reckon catalog clusters')", .letter = 'c'},
       {.name = "device", .argument = "NAME", .help = "a device in its usual node, e.g. h100 ('reckon catalog devices')", .letter = 'd'},
       {.name = "calibration",
        .argument = "FILE",
        .help = "measured by 'reckon calibrate' or brought in by 'reckon import'; processors measured so are a place of their own"},
       {.name = "stack",
        .argument = "NAME",
        .fallback = "default",
        .help = "software generation ('reckon catalog stacks'); on measured processors reckon-train unless given"},
       {.name = "memory-margin", .argument = "SHARE", .fallback = "6 %", .help = "device memory kept free for fragmentation"}}};
}

SceneNames scene_names(const ParsedOptions& options) {
  if (!options.given("model"))
    throw UsageError("the option '--model' is required",
                     "give --model NAME or --model path/to/config.json; 'reckon catalog architectures' lists names");
  const bool calibrated = options.given("calibration"), placed = options.given("cluster") || options.given("device");
  if (options.given("cluster") && options.given("device")) throw UsageError("both --cluster and --device are given", "give one of them");
  if (!placed && !calibrated) throw UsageError("the place is missing", "give --cluster NAME or --device NAME, e.g. --device h100");
  SceneNames names{options.text("model"), options.find("as").value_or(""), options.find("name").value_or(""), "", options.text("stack"),
                   options.find("calibration").value_or("")};
  if (placed) names.place = options.text(options.given("cluster") ? "cluster" : "device");
  if (calibrated && !placed && !options.given("stack")) names.stack = "reckon-train";
  return names;
}

bool counts_tokens(const Architecture& architecture) {
  const Transformer* t = architecture.transformer();
  return t != nullptr && t->vocab_size > 0;
}

std::int64_t usual_sequence_length(const Transformer& model) {
  if (model.seq_len > 0) return model.seq_len;
  return std::min(model.max_positions > 0 ? model.max_positions : longest_default_sequence, longest_default_sequence);
}

std::int64_t batch_size(std::string_view text, std::int64_t seq_len) {
  const std::int64_t count = parse_count(text, 1);
  if (lower(text).find("tok") == std::string::npos) return count;
  if (seq_len <= 0) throw TextError("a batch in tokens for a model without tokens", "give the number of samples");
  if (count % seq_len == 0) return count / seq_len;
  const double exact = static_cast<double>(count) / static_cast<double>(seq_len);
  const auto low = static_cast<std::int64_t>(std::ceil(exact * (1 - batch_tolerance))),
             high = static_cast<std::int64_t>(std::floor(exact * (1 + batch_tolerance)));
  if (high < 1 || low > high)
    throw TextError(fmt::format("{} tokens are less than a sequence of {}", grouped(count), grouped(seq_len)),
                    "give a larger batch or a smaller --seq-len");
  std::int64_t best = 0;
  for (std::int64_t unit = std::bit_floor(static_cast<std::uint64_t>(high)); unit >= 1 && best == 0; unit /= 2) {
    const std::int64_t nearest = std::max<std::int64_t>(1, std::llround(exact / static_cast<double>(unit))) * unit;
    if (nearest >= std::max<std::int64_t>(low, 1) && nearest <= high) best = nearest;
  }
  return best;
}

std::int64_t default_batch_size(Training training, double parameters, std::int64_t seq_len, bool tokens) {
  if (!tokens) return 1024;
  const double wanted = training != Training::pretrain ? 1e6 : parameters >= 20e9 ? 16e6 : 4e6;
  return batch_size(fmt::format("{} tokens", std::max(static_cast<std::int64_t>(wanted), seq_len)), seq_len);
}

Question read_question(const ParsedOptions& options, Scene& scene, const std::string& batch_option, std::vector<Assumption>& assumptions) {
  Question q{&scene.architecture,
             &scene.cluster,
             &scene.compute,
             &scene.links,
             &scene.stack,
             {},
             Precision::bf16,
             AttentionKind::flash,
             1,
             0.06,
             {}};
  q.task.training = *training_of(options.choice("training", names_of<Training>({Training::pretrain, Training::finetune, Training::lora})));
  q.task.optimizer = optimizer_of(options.choice("optimizer", {"adamw", "lamb", "sgd"}));
  q.task.lora_rank = options.count("lora-rank", 1, 65536);
  if (options.given("lora-rank") && q.task.training != Training::lora)
    options.fail("lora-rank", "goes with --training lora", "add --training lora");
  q.attention = *attention_of(options.choice("attention", names_of<AttentionKind>({AttentionKind::flash, AttentionKind::unfused})));
  q.memory_margin = options.number("memory-margin", 0, 0.9);
  q.precision = settle_precision(options, scene, assumptions);
  settle_sequence(options, scene, q.task, assumptions);
  q.global_batch_size = settle_batch(options, scene, q.task, batch_option, assumptions);
  assumptions.push_back(stated(options, "training", "training", spelled(name_of(q.task.training)), "usual"));
  assumptions.push_back(stated(options, "optimizer", "optimizer", spelled(optimizer_names[static_cast<int>(q.task.optimizer)]), "usual"));
  assumptions.push_back(
      stated(options, "memory-margin", "memory kept free", significant(100 * q.memory_margin) + " %", "room for fragmentation"));
  return q;
}

PlanQuestion plan_question(const Question& q, const Scene& scene) {
  PlanQuestion out;
  const ParameterCount count = parameter_count(scene.architecture);
  out.model = scene.architecture.name;
  out.family = scene.architecture.family;
  out.parameters = count.total();
  out.active_parameters = count.active();
  out.training = name_of(q.task.training);
  out.optimizer = optimizer_names[static_cast<int>(q.task.optimizer)];
  out.precision = name_of(q.precision);
  out.attention = name_of(q.attention);
  out.stack = scene.stack.id;
  out.stack_name = scene.stack.name;
  out.cluster = scene.cluster.id;
  out.cluster_name = scene.cluster.name;
  out.device = scene.cluster.device.id;
  out.device_name = scene.cluster.device.name;
  out.node = scene.cluster.node.id;
  out.fabric = scene.cluster.fabric.id;
  out.devices_per_node = scene.cluster.node.devices_per_node;
  out.device_memory = scene.cluster.device.memory;
  out.memory_margin = q.memory_margin;
  out.counts_tokens = counts_tokens(scene.architecture);
  out.seq_len = out.counts_tokens ? q.task.seq_len : 0;
  out.global_batch_size = q.global_batch_size;
  return out;
}

namespace {

/// The 90 % interval of a step time, as far as the stack's measured runs reach.
void add_model_error(const Scene& scene, std::int64_t devices, std::vector<Assumption>& assumptions) {
  const StackResiduals& r = scene.stack.residuals;
  const double spread = expected_spread(scene.interval, scene.stack, scene.cluster.device.id, devices);
  const StepInterval interval = step_interval(scene.interval, Seconds{1.0}, spread);
  const std::string origin = r.runs > 0 ? fmt::format("{} published runs of this stack up to {} devices, each left out with its model", grouped(r.runs), grouped(r.most_devices))
                                        : std::string("no published run of this stack; runs of all others, predicted with default constants");
  assumptions.push_back({fmt::format("measured against predicted step time on {} devices, 90 %", grouped(devices)), fmt::format("{:+.0f} % to {:+.0f} %", 100.0 * (interval.low.base() - 1.0), 100.0 * (interval.high.base() - 1.0)),
                         r.runs > 0 ? "measured" : "estimated", origin, ""});
}

/// How fast matrix products of one format are, and how that is known.
void add_products(const ComputeCalibration& compute, const std::string& device, Precision precision, std::vector<Assumption>& assumptions) {
  const auto& gemm = compute.gemm[static_cast<std::size_t>(precision)];
  const bool derived = compute.derived() || (gemm && gemm->derived);
  std::string residual =
      gemm && gemm->residual.points > 0
          ? fmt::format("{} points, median error {:.1f} %", grouped(std::llround(gemm->residual.points)), 100 * gemm->residual.median)
          : "";
  if (compute.derived()) residual = "scaled from " + compute.derived_from;
  const Source* source = gemm ? &gemm->source : source_of(compute.provenance, "gemm");
  assumptions.push_back({fmt::format("{} products on {}", name_of(precision), device),
                         residual.empty() ? "calibrated" : residual, derived ? "derived" : "measured", source ? source->title : "",
                         compute.date});
}

}  // namespace

void add_evidence(const Scene& scene, const Question& question, std::int64_t devices, std::vector<Assumption>& assumptions) {
  const ComputeCalibration& compute = scene.compute;
  const Cluster& cluster = scene.cluster;
  for (const Precision precision : question.space.precision) add_products(compute, cluster.device.id, precision, assumptions);
  if (question.space.precision.empty()) add_products(compute, cluster.device.id, question.precision, assumptions);
  if (compute.measured != nullptr) {
    const auto& gemm = compute.gemm[static_cast<std::size_t>(question.precision)];
    const Source* source = gemm ? &gemm->source : source_of(compute.provenance, "gemm");
    assumptions.push_back({"memory-bound kernels and attention", "by size and shape", "measured", source ? source->title : "", compute.date});
    const double shared = compute.measured->ranks_per_processor(static_cast<double>(cluster.node.devices_per_node));
    if (shared > 1.0)
      assumptions.push_back({"ranks that share a processor", significant(shared) + " where all ranks of a node compute", "measured", source ? source->title : "", compute.date});
  }
  const Source &inside = scene.links.domain_source, &between = scene.links.fabric_source;
  assumptions.push_back(
      {"links inside a node", cluster.device.id, scene.links.domain_measured ? "measured" : "derived", inside.title, inside.date});
  assumptions.push_back(
      {"links between nodes", cluster.fabric.id, scene.links.fabric_measured ? "measured" : "derived", between.title, between.date});
  assumptions.push_back({"software stack", scene.stack.id, scene.stack.fitted.empty() ? "estimated" : "fitted",
                         scene.stack.fit_note.empty() ? scene.stack.name : scene.stack.fit_note, ""});
  add_model_error(scene, devices, assumptions);
  add_unread_place(cluster, assumptions);
}

}  // namespace reckon
