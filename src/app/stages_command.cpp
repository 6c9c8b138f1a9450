// reckon stages: layers that differ, devices that differ, divided over a pipeline exactly.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "app/command.hpp"
#include "app/question_options.hpp"
#include "app/several_places.hpp"
#include "app/strategy_options.hpp"
#include "base/text.hpp"
#include "io/data_path.hpp"
#include "io/listing.hpp"
#include "plan/stage_partition.hpp"
#include "plan/stage_ways.hpp"
#include "report/numbers.hpp"
#include "report/table.hpp"

namespace reckon {
namespace {

constexpr double most_cells = 3e8;  // of the programme's table: 2.4 GB

/// A way with what it is called.
struct NamedWay {
  std::string device;
  std::int64_t tensor = 1;
  Recompute recompute = Recompute::none;
};

struct StageSearch {
  std::vector<std::unique_ptr<Place>> places;
  PartitionQuestion question;
  std::vector<NamedWay> names;  // of question.ways
};

Strategy strategy_of(const ParsedOptions& options, const Question& question, std::int64_t tensor, Recompute recompute) {
  Strategy s;
  s.tensor_parallel = tensor;
  s.context_parallel = read_degree(options, "cp");
  s.expert_parallel = read_degree(options, "ep");
  s.data_parallel = read_degree(options, "dp");
  s.pipeline_parallel = 2;  // neighbours exist; how many stages there are is what is asked
  s.schedule = Schedule::one_f_one_b;
  s.sequence_parallel = tensor > 1;
  s.sharding = *sharding_of(options.choice("sharding", {"none", "zero1", "zero2", "zero3"}));
  s.recompute = recompute;
  s.micro_batch_size = read_degree(options, "mb");
  s.global_batch_size = question.global_batch_size;
  s.precision = question.precision;
  s.attention = question.attention;
  return s;
}

void add_ways(const ParsedOptions& options, const Place& place, std::size_t kind, StageSearch& search) {
  for (const std::int64_t tensor : options.counts("tp", 1, 1 << 20))
    for (const std::string& recompute : options.list("recompute", {"none", "full"})) {
      const Strategy s = strategy_of(options, place.question, tensor, *recompute_of(recompute));
      if (!problems(s, s.num_devices()).empty() || s.num_micro_batches() < 1) continue;
      if (s.tensor_parallel * s.context_parallel * s.data_parallel > search.question.devices[kind]) continue;
      search.question.ways.push_back(stage_way(place.question.job(s), kind, place.question.usable_memory()));
      search.names.push_back({place.stated.device, tensor, s.recompute});
    }
}

StageSearch read_search(const ParsedOptions& options) {
  if (!options.given("model")) throw UsageError("the option '--model' is required", "'reckon catalog architectures' lists names");
  StageSearch out;
  const std::vector<std::string> names = place_names(options);
  for (const std::string& word : options.list("devices")) out.question.devices.push_back(parse_count(word, 1));
  if (out.question.devices.size() != names.size())
    options.fail("devices", fmt::format("{} numbers for {} kinds of device", out.question.devices.size(), names.size()),
                 "give one number for each --device");
  for (const std::string& name : names) {
    auto place = std::make_unique<Place>();
    place->scene =
        load_scene({options.text("model"), options.find("as").value_or(""), options.find("name").value_or(""), name, options.text("stack")},
                   data_folder());
    place->question = read_question(options, place->scene, "batch", place->assumptions);
    place->stated = plan_question(place->question, place->scene);
    if (place->scene.architecture.transformer() == nullptr) throw UsageError("only transformers have layers to divide");
    add_ways(options, *place, out.places.size(), out);
    out.places.push_back(std::move(place));
  }
  const Question& first = out.places[0]->question;
  const std::int64_t each = read_degree(options, "dp") * read_degree(options, "mb");
  if (first.global_batch_size % each != 0)
    options.fail("dp", fmt::format("a batch of {} does not divide by dp x mb = {}", first.global_batch_size, each));
  if (out.question.ways.empty()) throw UsageError("no way to run a stage is sound on these devices", "give other --tp, or fewer --dp");
  out.question.layers = static_cast<std::int64_t>(out.question.ways.front().time.size());  // encoders and predictors of further tokens too
  out.question.micro_batches = first.global_batch_size / each;
  return out;
}

/// The programme's table: stages x layers x devices of each kind.
void check_room(const ParsedOptions& options, const PartitionQuestion& q) {
  double cells = static_cast<double>(q.layers + 1) * static_cast<double>(q.layers + 1);
  for (std::size_t k = 0; k < q.devices.size(); ++k) {
    std::int64_t least = q.devices[k];
    for (const StageWay& way : q.ways)
      if (way.kind == k) least = std::min(least, way.devices);
    cells *= static_cast<double>(q.devices[k] / least + 1);
  }
  if (cells > most_cells)
    options.fail("devices", "too many for an exact division", "raise --dp or --tp, so that a stage takes more of them");
}

std::string table_of(const StageSearch& search, const Partition& p) {
  Table table({{"stage"}, {"layers"}, {"from"}, {"to"}, {"device", Align::left}, {"devices"}, {"tp"}, {"recompute", Align::left}, {"ms"}});
  for (std::size_t i = 0; i < p.stages.size(); ++i) {
    const StageChoice& s = p.stages[i];
    const NamedWay& way = search.names[s.way];
    table.row({fmt::to_string(i), fmt::to_string(s.count), fmt::to_string(s.first), fmt::to_string(s.first + s.count - 1), way.device,
               grouped(search.question.ways[s.way].devices), fmt::to_string(way.tensor), std::string(name_of(way.recompute)),
               significant(1e3 * s.time.base())});
  }
  return table.text();
}

std::string report_of(const StageSearch& search, const Partition& p) {
  Seconds slowest, sum;
  for (const StageChoice& s : p.stages) slowest = max(slowest, s.time), sum += s.time;
  const double m = static_cast<double>(search.question.micro_batches), stages = static_cast<double>(p.stages.size());
  return fmt::format(
             "{} over {} stages: {} s a step of {} micro-batches, before data-parallel messages and the optimizer.\n"
             "The slowest stage takes {} ms, the mean one {} ms; stages wait {} % of the step.\n\n",
             search.places[0]->stated.model, p.stages.size(), significant(p.step.base()), grouped(search.question.micro_batches),
             significant(1e3 * slowest.base()), significant(1e3 * sum.base() / stages),
             significant(100.0 * (1.0 - m * sum.base() / stages / p.step.base()))) +
         table_of(search, p) + "No other division of the layers over ways and devices is faster (dynamic programming, exact).\n";
}

std::string json_of(const StageSearch& search, const Partition& p) {
  std::vector<std::string> stages;
  for (const StageChoice& s : p.stages) {
    const NamedWay& way = search.names[s.way];
    stages.push_back(fmt::format("{}:{} {} tp{} {}", s.first, s.first + s.count, way.device, way.tensor, name_of(way.recompute)));
  }
  return record_json("reckon/stages/1", {{"model", search.places[0]->stated.model},
                                         {"step_time_s", fmt::format("{:.17g}", p.step.base())},
                                         {"micro_batches", fmt::to_string(search.question.micro_batches)},
                                         {"stages", join(stages, ", ")}});
}

}  // namespace

CommandSpec stages_spec() {
  return {"stages",
          "layers over the stages of a pipeline, exactly: unequal layers, unequal devices",
          {"reckon stages --model llama-3-70b --device h100,a100 --devices 32,32 --tp 4,8 --batch 256",
           "reckon stages --model deepseek-v3 --device h800 --devices 1024 --dp 8 --tp 8 --ep 64 --batch 512 --recompute full --json"},
          {training_options(),
           place_options(),
           {"Devices and ways",
            {{.name = "devices", .argument = "LIST", .help = "how many there are of each --device, in its order", .letter = 'n'},
             {.name = "tp", .argument = "LIST", .fallback = "1,2,4,8", .help = "tensor-parallel degrees that a stage may have"},
             {.name = "recompute", .argument = "LIST", .fallback = "none,full", .help = "none, full: what a stage may do"},
             {.name = "dp", .argument = "N", .fallback = "1", .help = "data parallel, the same in every stage"},
             {.name = "cp", .argument = "N", .fallback = "1", .help = "context parallel"},
             {.name = "ep", .argument = "N", .fallback = "1", .help = "expert parallel"},
             {.name = "sharding", .argument = "NAME", .fallback = "zero1", .help = "none, zero1, zero2, zero3"},
             {.name = "mb", .argument = "N", .fallback = "1", .help = "micro-batch"},
             {.name = "batch",
              .argument = "SIZE",
              .help = "of one step [default: 16M tokens from 20B parameters up, 4M below]",
              .letter = 'b'}}},
           {"Output", {{.name = "json", .help = "the answer as JSON on stdout"}}}},
          {},
          "Every stage runs in one of the ways: a kind of device, a tensor degree, with or without recomputation; all devices are used. "
          "The embedding "
          "counts with the first layer, the head with the last. Exit code 3 when no division fits in memory."};
}

CommandResult run_stages(const ParsedOptions& options, const MpiSession&) {
  const StageSearch search = read_search(options);
  check_room(options, search.question);
  const std::optional<Partition> best = best_partition(search.question);
  if (!best) return {"No division of the layers fits in memory and uses all devices.\n", ExitCode::infeasible};
  return {options.flag("json") ? json_of(search, *best) : report_of(search, *best)};
}

}  // namespace reckon
