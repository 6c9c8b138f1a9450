// SPDX-License-Identifier: Apache-2.0
#include "report/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "report/numbers.hpp"

namespace reckon {
namespace {

std::string devices_text(const PlanQuestion& q, std::int64_t devices) { return fmt::format("{} x {}", grouped(devices), q.device_name); }

std::string time_and_cost(const PlanPoint& p, const std::string& currency) {
  return fmt::format("{} for {}", run_text(p.projection.wall_time), money_text(p.projection.cost(), currency));
}

std::string task_text(const PlanQuestion& q) {
  return fmt::format("{} on {} {}", q.model, count_text(q.units), q.counts_tokens ? "tokens" : "samples");
}

/// How far a plan is beyond the demands: at most 1 meets them all.
double excess(const PlanQuestion& q, const PlanPoint& p) {
  double worst = 0;
  if (q.deadline) worst = std::max(worst, p.projection.wall_time / *q.deadline);
  if (q.budget) worst = std::max(worst, p.projection.cost() / *q.budget);
  return worst;
}

std::string demands(const PlanQuestion& q, const std::string& currency) {
  std::string out;
  if (q.deadline) out += "within " + run_text(*q.deadline);
  if (q.budget) out += std::string(out.empty() ? "" : " and ") + "under " + money_text(*q.budget, currency);
  return out;
}

const PlanPoint* least(const std::vector<const PlanPoint*>& points, auto value) {
  return *std::min_element(points.begin(), points.end(), [&](const PlanPoint* a, const PlanPoint* b) { return value(*a) < value(*b); });
}

void describe_miss(const PlanResults& results, const std::vector<const PlanPoint*>& points, Verdict& verdict) {
  const PlanQuestion& q = results.question;
  const std::string& currency = results.currency;
  const PlanPoint& near = *verdict.answer;
  verdict.sentence = fmt::format("No listed size trains {} {}: {} come nearest with {}.", task_text(q), demands(q, currency),
                                 devices_text(q, near.devices), time_and_cost(near, currency));
  if (q.deadline && near.projection.wall_time > *q.deadline)
    verdict.details.push_back(fmt::format("{} too late: {} against a deadline of {}.", run_text(near.projection.wall_time - *q.deadline),
                                          run_text(near.projection.wall_time), run_text(*q.deadline)));
  if (q.budget && near.projection.cost() > *q.budget)
    verdict.details.push_back(fmt::format("{} too expensive: {} against a budget of {}.",
                                          money_text(near.projection.cost() - *q.budget, currency),
                                          money_text(near.projection.cost(), currency), money_text(*q.budget, currency)));
  const PlanPoint& cheapest = *least(points, [](const PlanPoint& p) { return p.projection.cost(); });
  const PlanPoint& fastest = *verdict.fastest;
  if (q.budget && cheapest.projection.cost() <= *q.budget)
    verdict.details.push_back(
        fmt::format("Within the budget, {} take {}.", devices_text(q, cheapest.devices), time_and_cost(cheapest, currency)));
  else if (q.budget)
    verdict.details.push_back(fmt::format("The cheapest size costs {}; at its device-hours the budget allows {}/h a device.",
                                          money_text(cheapest.projection.cost(), currency),
                                          money_text(*q.budget / cheapest.projection.device_hours, currency)));
  if (q.deadline && fastest.projection.wall_time <= *q.deadline)
    verdict.details.push_back(
        fmt::format("Within the deadline, {} take {}.", devices_text(q, fastest.devices), time_and_cost(fastest, currency)));
  else if (q.deadline)
    verdict.details.push_back(fmt::format("The fastest listed size takes {}; list more devices with --devices, or train fewer {}.",
                                          run_text(fastest.projection.wall_time), q.counts_tokens ? "tokens" : "samples"));
}

void describe_nothing(const PlanResults& results, Verdict& verdict) {
  const PlanQuestion& q = results.question;
  const PlanPoint* near = nullptr;
  for (const PlanPoint& p : results.nearest_misses)
    if (near == nullptr || p.cost.memory.total() < near->cost.memory.total()) near = &p;
  if (near == nullptr) {
    verdict.sentence = fmt::format("No plan: no strategy divides any of the listed sizes for {}.", task_text(q));
    return;
  }
  verdict.sentence = fmt::format("No plan fits in memory: the nearest miss, {} as {}, needs {} GiB of {} GiB.",
                                 devices_text(q, near->devices), describe(near->strategy),
                                 significant(near->cost.memory.total().in(gibibytes)), significant(q.usable_memory().in(gibibytes)));
}

}  // namespace

Verdict judge(const PlanResults& results) {
  const PlanQuestion& q = results.question;
  const std::string& currency = results.currency;
  const std::vector<const PlanPoint*> points = results.best_points();
  Verdict out;
  if (points.empty()) {
    describe_nothing(results, out);
    return out;
  }
  out.fastest = least(points, [](const PlanPoint& p) { return p.projection.wall_time; });
  if (!q.deadline && !q.budget) {
    out.kind = VerdictKind::open;
    out.answer = least(points, [](const PlanPoint& p) { return p.projection.cost(); });
    out.sentence =
        fmt::format("{}: {} train it in {}", task_text(q), devices_text(q, out.answer->devices), time_and_cost(*out.answer, currency));
    if (out.fastest->devices != out.answer->devices)
      out.sentence += fmt::format(" (cheapest), {} in {} (fastest)", grouped(out.fastest->devices), time_and_cost(*out.fastest, currency));
    out.sentence += '.';
    return out;
  }
  const auto enough = std::find_if(points.begin(), points.end(), [&](const PlanPoint* p) { return excess(q, *p) <= 1.0; });
  if (enough != points.end()) {
    out.kind = VerdictKind::met;
    out.answer = *enough;
    out.sentence = fmt::format("{} are enough to train {} {}: {}.", devices_text(q, out.answer->devices), task_text(q),
                               demands(q, currency), time_and_cost(*out.answer, currency));
    const PlanPoint& better = *least(points, [](const PlanPoint& p) { return p.projection.cost(); });
    if (better.projection.cost() < out.answer->projection.cost() && excess(q, better) <= 1.0)
      out.details.push_back(
          fmt::format("A larger cluster is cheaper: {} take {}.", devices_text(q, better.devices), time_and_cost(better, currency)));
    return out;
  }
  out.kind = VerdictKind::missed;
  out.answer = least(points, [&](const PlanPoint& p) { return excess(q, p); });
  describe_miss(results, points, out);
  return out;
}

PlanAnswer answer_of(const Verdict& verdict) {
  static const char* const kinds[] = {"open", "met", "missed", "nothing"};
  return {kinds[static_cast<int>(verdict.kind)], verdict.sentence, verdict.details, verdict.answer ? verdict.answer->devices : 0};
}

}  // namespace reckon
