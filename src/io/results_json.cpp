// SPDX-License-Identifier: Apache-2.0
#include "io/results_json.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "io/results_columns.hpp"
#include "io/results_costs.hpp"

namespace reckon {
namespace {

using Json = nlohmann::ordered_json;

constexpr double largest = std::numeric_limits<double>::max();

/// The members of a question by JSON key, once for writing and reading.
template <class Question, class Visitor>
void visit_members(Question& q, Visitor&& visit) {
  visit("model", q.model);
  visit("family", q.family);
  visit("parameters", q.parameters);
  visit("active_parameters", q.active_parameters);
  visit("training", q.training);
  visit("optimizer", q.optimizer);
  visit("precision", q.precision);
  visit("attention", q.attention);
  visit("stack", q.stack);
  visit("stack_name", q.stack_name);
  visit("cluster", q.cluster);
  visit("cluster_name", q.cluster_name);
  visit("device", q.device);
  visit("device_name", q.device_name);
  visit("node", q.node);
  visit("fabric", q.fabric);
  visit("devices_per_node", q.devices_per_node);
  visit("device_memory_bytes", q.device_memory);
  visit("memory_margin", q.memory_margin);
  visit("counts_tokens", q.counts_tokens);
  visit("units", q.units);
  visit("seq_len", q.seq_len);
  visit("global_batch_size", q.global_batch_size);
  visit("failures_per_device_day", q.run.failures.failures_per_device_day);
  visit("restart_s", q.run.failures.restart);
  visit("checkpoint_stall_s", q.run.failures.checkpoint_stall);
  visit("checkpoint_interval_s", q.run.failures.checkpoint_interval);
  visit("planned_per_unexpected", q.run.failures.planned_per_unexpected);
  visit("reserve", q.run.reserve);
  visit("price_usd_per_device_s", q.run.price);
  visit("price", q.price_name);
  visit("device_power_w", q.run.device_power);
  visit("pue", q.run.pue);
  visit("deadline_s", q.deadline);
  visit("budget_usd", q.budget);
  visit("restrictions", q.restrictions);
  visit("keep", q.keep);
}

struct Writer {
  Json& out;
  void operator()(const char* key, const std::string& v) { out[key] = v; }
  void operator()(const char* key, double v) { out[key] = v; }
  void operator()(const char* key, bool v) { out[key] = v; }
  void operator()(const char* key, std::int64_t v) { out[key] = v; }
  template <int T, int D, int W, int K, int M, int E>
  void operator()(const char* key, Quantity<T, D, W, K, M, E> v) {
    out[key] = v.base();
  }
  template <class Q>
  void operator()(const char* key, const std::optional<Q>& v) {
    out[key] = v ? Json(v->base()) : Json(nullptr);
  }
};

struct Reader {
  const JsonNode& in;
  void operator()(const char* key, std::string& v) { v = in.at(key).string(); }
  void operator()(const char* key, double& v) { v = in.at(key).number(0, largest); }
  void operator()(const char* key, bool& v) { v = in.at(key).boolean(); }
  void operator()(const char* key, std::int64_t& v) { v = in.at(key).integer(0, largest_count); }
  template <int T, int D, int W, int K, int M, int E>
  void operator()(const char* key, Quantity<T, D, W, K, M, E>& v) {
    v = Quantity<T, D, W, K, M, E>(in.at(key).number(0, largest));
  }
  template <class Q>
  void operator()(const char* key, std::optional<Q>& v) {
    if (!in.at(key).is_null()) v = Q(in.at(key).number(0, largest));
  }
};

Json json_of(const PlanQuestion& question) {
  Json out = Json::object();
  visit_members(question, Writer{out});
  return out;
}

Json words_of_mask(const WholeColumn& column, std::int64_t bits) {
  Json out = Json::array();
  for (std::size_t i = 0; i < column.meanings.size(); ++i)
    if ((bits >> i & 1) != 0) out.push_back(column.meanings[i]);
  return out;
}

Json json_of(const PlanPoint& point, bool with_run = true) {
  Json out = Json::object();
  out["strategy"] = describe(point.strategy);
  for (const WholeColumn& c : whole_columns()) {
    if (!with_run && (c.name == "place" || c.name == "cost_micro_usd")) continue;
    const std::int64_t v = c.get(point);
    out[c.name] = c.mask ? words_of_mask(c, v) : c.meanings.empty() ? Json(v) : Json(c.meanings.at(static_cast<std::size_t>(v)));
  }
  for (const RealColumn& c : real_columns()) {
    if (c.projected && !with_run) continue;
    const double v = c.get(point);
    out[c.json_name()] = c.missing_is_infinite && std::isinf(v) ? Json(nullptr) : Json(v);
  }
  return out;
}

Json json_of(const std::vector<Assumption>& assumptions) {
  Json out = Json::array();
  for (const Assumption& a : assumptions)
    out.push_back({{"name", a.name}, {"value", a.value}, {"basis", a.basis}, {"source", a.source}, {"date", a.date}});
  return out;
}

Json json_of(const PlanSize& size, const PlanResults& results) {
  static const char* const status[] = {"fits", "does not fit", "no strategy"};
  Json out{{"devices", size.devices},     {"status", status[static_cast<int>(size.status)]},
           {"on_front", size.on_front},   {"considered", size.considered},
           {"too_large", size.too_large}, {"remark", size.remark}};
  for (const CountColumn& column : count_columns()) out[column.name] = size.counts.*column.member;
  const PlanPoint* best = results.best_of(size.devices);
  const PlanPoint* miss = results.nearest_miss_of(size.devices);
  out["plan"] = best ? json_of(*best) : Json(nullptr);
  out["nearest_miss"] = miss ? json_of(*miss) : Json(nullptr);
  return out;
}

Json json_of(const PlanProvenance& p) {
  return {{"software", "reckon"},
          {"version", p.version},
          {"git_commit", p.git_commit},
          {"command_line", p.command_line},
          {"date", p.date.empty() ? Json(nullptr) : Json(p.date)},
          {"seed", p.seed},
          {"uuid", p.uuid}};
}

/// `json` with the word `usd` of every key replaced: cost_usd, price_usd_per_device_s.
Json keyed_by_currency(const Json& json, const std::string& code) {
  if (json.is_array()) {
    Json out = Json::array();
    for (const Json& item : json) out.push_back(keyed_by_currency(item, code));
    return out;
  }
  if (!json.is_object()) return json;
  Json out = Json::object();
  for (const auto& [key, value] : json.items()) {
    std::string name = "_" + key + "_";
    if (const std::size_t at = name.find("_usd_"); at != std::string::npos) name.replace(at + 1, 3, code);
    out[name.substr(1, name.size() - 2)] = keyed_by_currency(value, code);
  }
  return out;
}

}  // namespace

std::string question_json(const PlanQuestion& question) { return dump_json(json_of(question)); }

PlanQuestion read_question(const JsonNode& root) {
  PlanQuestion out;
  std::vector<std::string> known;
  visit_members(out, [&known](const char* key, auto&) { known.emplace_back(key); });
  root.refuse_unknown(known);
  visit_members(out, Reader{root});
  return out;
}

std::string plan_json(const PlanResults& results) {
  Json out{{"schema", "reckon/plan/1"}};
  const PlanAnswer& a = results.answer;
  out["answer"] = {
      {"kind", a.kind}, {"sentence", a.sentence}, {"details", a.details}, {"devices", a.devices > 0 ? Json(a.devices) : Json(nullptr)}};
  out["currency"] = results.currency;
  out["question"] = json_of(results.question);
  Json sizes = Json::array(), candidates = Json::array(), inputs = Json::array();
  for (const PlanSize& size : results.sizes) sizes.push_back(json_of(size, results));
  for (const PlanPoint& p : results.candidates) candidates.push_back(json_of(p));
  for (const InputText& i : results.inputs)
    inputs.push_back({{"name", i.name}, {"path", i.path}, {"size", i.text.size()}, {"sha256", i.sha256}});
  out["sizes"] = sizes;
  out["candidates"] = candidates;
  out["costs"] = results.costs ? costs_json(*results.costs) : Json(nullptr);
  out["assumptions"] = json_of(results.assumptions);
  out["inputs"] = inputs;
  out["provenance"] = json_of(results.provenance);
  return dump_json(results.currency == "USD" ? out : keyed_by_currency(out, lower(results.currency)));
}

std::string prediction_json(const PlanQuestion& question, const PlanPoint& point, bool fits, const std::vector<Assumption>& assumptions) {
  Json out{{"schema", "reckon/prediction/1"}, {"fits", fits}, {"usable_memory_bytes", question.usable_memory().base()}};
  out["question"] = json_of(question);
  out["prediction"] = json_of(point, false);
  out["prediction"]["throughput_per_s"] = point.projection.throughput.base();
  out["assumptions"] = json_of(assumptions);
  return dump_json(out);
}

}  // namespace reckon
