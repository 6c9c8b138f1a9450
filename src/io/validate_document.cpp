// SPDX-License-Identifier: Apache-2.0
#include "io/validate_document.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "io/json.hpp"

namespace reckon {
namespace {

using Json = nlohmann::ordered_json;

Json summary_of(const ErrorSummary& s) {
  return {{"n", s.n}, {"median_abs_error", s.median}, {"mean_abs_error", s.mean}, {"p90_abs_error", s.p90}, {"worst_abs_error", s.worst}, {"bias", s.bias}};
}

Json parts_of(const StepCost& cost) {
  const StepTime& t = cost.time;
  return {{"forward_s", t.forward.base()}, {"backward_s", t.backward.base()}, {"recompute_s", t.recompute.base()},
          {"exposed_tensor_s", t.exposed_tensor.base()}, {"exposed_context_s", t.exposed_context.base()}, {"exposed_expert_s", t.exposed_expert.base()},
          {"exposed_pipeline_s", t.exposed_pipeline.base()}, {"exposed_data_s", t.exposed_data.base()}, {"bubble_s", t.bubble.base()},
          {"optimizer_s", t.optimizer.base()}, {"jitter_s", t.jitter.base()}};
}

const char* status_name(ReplayStatus status) {
  switch (status) {
    case ReplayStatus::ok: return "ok";
    case ReplayStatus::infeasible: return "infeasible";
    case ReplayStatus::unsupported: return "unsupported";
  }
  return "unsupported";
}

Json run_entry(const PublishedRun& run, const Replay& replay) {
  Json out{{"id", run.id}, {"stack", run.stack}, {"status", status_name(replay.status)}, {"reason", nullptr}, {"traced", replay.traced}, {"measured_step_time_s", run.step_time.base()}};
  if (!replay.reason.empty()) out["reason"] = replay.reason;
  const bool priced = replay.status != ReplayStatus::unsupported;
  out["predicted_step_time_s"] = priced ? Json(replay.cost.time.total().base()) : Json(nullptr);
  out["predicted_low_s"] = priced ? Json(replay.interval.low.base()) : Json(nullptr);
  out["predicted_high_s"] = priced ? Json(replay.interval.high.base()) : Json(nullptr);
  out["predicted_peak_memory_gib"] = priced ? Json(comparable_memory(run, replay.cost).in(gibibytes)) : Json(nullptr);
  out["measured_peak_memory_gib"] = run.peak_memory ? Json(run.peak_memory->in(gibibytes)) : Json(nullptr);
  out["parts"] = priced ? parts_of(replay.cost) : Json(Json::object());
  return out;
}

}  // namespace

std::vector<ReplayedFile> measured_alone(const std::vector<ReplayedFile>& files) {
  std::vector<ReplayedFile> out;
  for (const ReplayedFile& file : files) {
    ReplayedFile kept{file.file, file.source, {}, {}};
    for (std::size_t i = 0; i < file.runs.size(); ++i) {
      if (file.replays[i].traced) continue;
      kept.runs.push_back(file.runs[i]);
      kept.replays.push_back(file.replays[i]);
    }
    if (!kept.runs.empty()) out.push_back(std::move(kept));
  }
  return out;
}

ErrorSummary macro_summary(const std::vector<ReplayedFile>& files) {
  std::vector<ErrorSummary> sources;
  for (const ReplayedFile& file : files) sources.push_back(summarise(signed_errors(file.replays)));
  return average(sources);
}

std::string validate_document(const std::vector<ReplayedFile>& files) {
  Json runs = Json::array(), sources = Json::object();
  std::vector<double> all;
  std::size_t infeasible = 0, unsupported = 0;
  for (const ReplayedFile& file : files) {
    for (std::size_t i = 0; i < file.runs.size(); ++i) {
      runs.push_back(run_entry(file.runs[i], file.replays[i]));
      infeasible += file.replays[i].status == ReplayStatus::infeasible;
      unsupported += file.replays[i].status == ReplayStatus::unsupported;
    }
    const std::vector<double> errors = signed_errors(file.replays);
    all.insert(all.end(), errors.begin(), errors.end());
    sources[file.source] = summary_of(summarise(errors));
  }
  Json summary{{"runs", runs.size()}, {"infeasible", infeasible}, {"unsupported", unsupported}, {"macro", summary_of(macro_summary(files))}, {"macro_measured_alone", summary_of(macro_summary(measured_alone(files)))},
               {"pooled", summary_of(summarise(all))}, {"sources", sources}};
  return dump_json({{"schema", "reckon/validate-result/1"}, {"runs", runs}, {"summary", summary}});
}

std::string choices_json(const std::vector<ChoiceCheck>& checks) {
  Json runs = Json::array();
  for (const ChoiceCheck& c : checks) {
    Json best = Json::array();
    for (const Candidate& b : c.best) best.push_back({{"strategy", describe(b.strategy)}, {"step_time_s", b.cost.time.total().base()}});
    runs.push_back({{"id", c.id},
                    {"strategy", describe(c.chosen)},
                    {"measured_s", c.measured.base()},
                    {"predicted_s", c.predicted.base()},
                    {"fits", c.chosen_fits},
                    {"space", c.space},
                    {"faster", c.faster},
                    {"nearest", c.best.empty() ? Json(nullptr) : Json(c.nearest())},
                    {"best", best}});
  }
  return Json{{"schema", "reckon/replan-result/1"}, {"runs", runs}}.dump(2) + "\n";
}

}  // namespace reckon
