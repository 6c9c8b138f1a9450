// The pictures of the report.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "io/results_columns.hpp"
#include "report/cost_report.hpp"
#include "report/cost_sections.hpp"
#include "report/numbers.hpp"

namespace reckon {

using detail::money_of;

namespace {

/// At most `most` of them, first and last kept.
template <class T>
std::vector<T> thinned(const std::vector<T>& all, std::size_t most) {
  if (all.size() <= most) return all;
  std::vector<T> out;
  for (std::size_t i = 0; i < most; ++i) out.push_back(all[i * (all.size() - 1) / (most - 1)]);
  return out;
}

Chart over_devices(const CostStudy& study, bool cost) {
  Chart c;
  c.title = cost ? "Dollars against devices, " + study.chosen().title : "Days against devices";
  c.x_title = "devices";
  c.y_title = cost ? study.model.currency : "days until done";
  c.x_log = true;
  c.y_log = !cost;
  Series s{"median, band from P10 to P90", {}, {}, {}, {}};
  for (const FanPoint& p : study.fan) {
    const Quantiles& q = cost ? p.cost : p.days;
    s.x.push_back(static_cast<double>(p.devices));
    s.y.push_back(q.p50);
    s.low.push_back(q.p10);
    s.high.push_back(q.p90);
  }
  const FanPoint &first = study.fan.front(), &last = study.fan.back();
  const auto words = [&](const FanPoint& p) {
    const Quantiles& q = cost ? p.cost : p.days;
    return fmt::format("{} ({} to {}) on {} devices", cost ? money_of(study, q.p50) : significant(q.p50) + " days",
                       cost ? money_of(study, q.p10) : significant(q.p10), cost ? money_of(study, q.p90) : significant(q.p90),
                       grouped(p.devices));
  };
  c.alternative = "Median with a band from the 10th to the 90th percentile: from " + words(first) + " to " + words(last) + ".";
  c.series.push_back(s);
  return c;
}

Chart front_chart(const PlanResults& r, const std::vector<const PlanPoint*>& points) {
  Chart c;
  c.title = "Time against rent: the front";
  c.x_title = "days";
  c.y_title = r.currency + ", rent of the run";
  c.x_log = true;
  c.y_zero = false;
  Series front{"on the front", {}, {}, {}, {}}, behind{"behind it", {}, {}, {}, {}, true};
  for (const PlanPoint* p : points) {
    const auto size = std::find_if(r.sizes.begin(), r.sizes.end(), [&](const PlanSize& s) { return s.devices == p->devices; });
    Series& to = size->on_front ? front : behind;
    to.x.push_back(p->projection.wall_time.in(days));
    to.y.push_back(p->projection.cost().base());
  }
  c.alternative = fmt::format("{} of {} sizes are on the front: no other is both faster and cheaper.", front.x.size(), points.size());
  c.series = {front};
  if (!behind.x.empty()) c.series.push_back(behind);
  return c;
}

Chart waterfall(const CostStudy& study, const std::string& scenario, const std::string& title) {
  Chart c;
  c.kind = ChartKind::waterfall;
  c.title = "Cost build-up, " + title;
  for (const LedgerRow& row : study.ledger.rows) {
    if (row.scenario != scenario || row.amount.cents == 0) continue;
    c.bars.push_back({row.item, {row.amount.value()}, money_of(study, std::abs(row.amount.value()))});
    if (row.amount.cents < 0) c.bars.back().shown = "-" + c.bars.back().shown;
  }
  c.line_name = money_of(study, study.ledger.total(scenario).value());
  std::string largest = "nothing";
  double most = 0;
  for (const Bar& bar : c.bars)
    if (bar.parts[0] > most) most = bar.parts[0], largest = bar.label + ", " + bar.shown;
  c.alternative = fmt::format("{} rows add up to {}; the largest is {}.", c.bars.size(), c.line_name, largest);
  return c;
}

Chart tornado(const CostStudy& study) {
  Chart c;
  c.kind = ChartKind::tornado;
  c.title = "What moves the cost: each assumption at its low and high";
  c.line = study.ledger.total(study.model.chosen).value();
  c.line_name = money_of(study, *c.line);
  c.parts = {"at its low", "at its high"};
  for (const Sensitivity* s : largest_swings(study.uncertainty, 10)) {
    const std::size_t i = study.model.sheet.index(s->assumption);
    c.bars.push_back(
        {study.label(s->assumption) + " " + study.model.assumptions[i].title, {s->at_low, s->at_high}, money_of(study, s->swing())});
  }
  c.alternative = c.bars.empty() ? "No assumption has a range." : "The largest swing has " + c.bars[0].label + ": " + c.bars[0].shown + ".";
  return c;
}

Chart distribution_chart(const CostStudy& study) {
  Chart c;
  c.title = "How sure is the cost: chance that it stays below";
  c.x_title = study.model.currency;
  c.y_title = "chance, %";
  std::vector<const CostScenario*> shown{&study.chosen()};
  for (const CostScenario& s : study.model.scenarios)
    if (s.id == "buy" && s.id != study.model.chosen) shown.push_back(&s);
  for (const CostScenario* s : shown) {
    const Distribution& d = study.distribution(s->id);
    Series line{s->title, {}, {}, {}, {}};
    for (std::size_t p = 1; p <= 99; ++p) {
      line.x.push_back(d.percentiles[p - 1]);
      line.y.push_back(static_cast<double>(p));
    }
    c.alternative += fmt::format("{}: 10 % below {}, half below {}, 90 % below {}. ", s->title, money_of(study, d.spread.p10),
                                 money_of(study, d.spread.p50), money_of(study, d.spread.p90));
    c.series.push_back(line);
  }
  return c;
}

Chart break_even(const CostStudy& study) {
  Chart c;
  c.title = "Rent or buy: cost of a used device-hour by use";
  c.x_title = "share of its life that the cluster is used, %";
  c.y_title = study.model.currency + " a used device-hour";
  const std::size_t use = study.model.sheet.index("use_share");
  std::vector<double> assumed;
  for (const CostAssumption& a : study.model.assumptions) assumed.push_back(a.value);
  Series own{"bought", {}, {}, {}, {}}, rent{"rented", {}, {}, {}, {}, false, true};
  const double price = study.value("rent_month") / (730 * study.value("use_share"));
  for (int percent = 15; percent <= 100; percent += 5) {
    assumed[use] = percent / 100.0;
    own.x.push_back(percent);
    own.y.push_back(study.model.values(assumed)[study.model.sheet.index("own_used_price")]);
    rent.x.push_back(percent);
    rent.y.push_back(price);
  }
  const double at = study.value("break_even_share");
  const std::string rent_text = price_text(price, study.model.currency);
  c.alternative = at > 0 && at <= 1 ? fmt::format("Buying costs less than renting at {} above {} % use; planned are {} %.", rent_text,
                                                  significant(100 * at), significant(100 * study.value("use_share")))
                                    : fmt::format("Renting at {} costs less than buying at any use.", rent_text);
  const double use_now = 100 * study.value("use_share");
  Series planned{"planned use", {use_now, use_now}, {0, own.y.front()}, {}, {}, false, true};
  c.series = {own, rent, planned};
  return c;
}

Chart stacks(const std::vector<const PlanPoint*>& points, const PlanResults& r, bool memory) {
  Chart c;
  c.kind = ChartKind::stacks;
  c.title = memory ? "Memory of the fullest device" : "Where the time of a step goes";
  std::vector<std::size_t> used;
  const std::vector<Part>& parts = memory ? memory_parts() : step_time_parts();
  const auto value = [&](const PlanPoint& p, std::size_t i) {
    return memory ? values_of(p.cost.memory)[i].in(gibibytes) : values_of(p.cost.time)[i] / p.cost.time.total() * 100;
  };
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (std::any_of(points.begin(), points.end(), [&](const PlanPoint* p) { return value(*p, i) >= (memory ? 0.05 : 0.2); }))
      used.push_back(i);
  for (const std::size_t i : used) c.parts.emplace_back(parts[i].title);
  for (const PlanPoint* p : points) {
    Bar bar{grouped(p->devices) + " devices", {}, ""};
    for (const std::size_t i : used) bar.parts.push_back(value(*p, i));
    bar.shown =
        memory ? significant(p->cost.memory.total().in(gibibytes)) + " GiB" : significant(p->cost.time.total().base()) + " s a step";
    c.bars.push_back(std::move(bar));
  }
  if (memory) {
    c.line = r.question.usable_memory().in(gibibytes);
    c.line_name = significant(*c.line) + " GiB usable";
  }
  c.alternative = memory
                      ? fmt::format("Between {} and {} of {} usable GiB.", c.bars.front().shown, c.bars.back().shown, significant(*c.line))
                      : fmt::format("Share of each part in the step; {} on {}, {} on {}.", c.bars.front().shown, c.bars.front().label,
                                    c.bars.back().shown, c.bars.back().label);
  return c;
}

}  // namespace

std::vector<Chart> report_charts(const PlanResults& r) {
  std::vector<Chart> out;
  const std::vector<const PlanPoint*> points = r.best_points();
  if (r.costs) {
    const CostStudy& s = *r.costs;
    const bool drawn = s.uncertainty.draws > 0;
    if (s.fan.size() > 1) {
      out.push_back(over_devices(s, false));
      out.push_back(over_devices(s, true));
    }
    if (points.size() > 1) out.push_back(front_chart(r, points));
    out.push_back(waterfall(s, s.model.chosen, s.chosen().title));
    for (const CostScenario& other : s.model.scenarios)
      if (other.id == "buy" && s.model.chosen != "buy") out.push_back(waterfall(s, "buy", other.title));
    if (drawn) {
      out.push_back(tornado(s));
      out.push_back(distribution_chart(s));
    }
    if (s.model.sheet.has("break_even_share")) out.push_back(break_even(s));
  }
  if (!points.empty()) {
    out.push_back(stacks(thinned(points, 6), r, false));
    out.push_back(stacks(thinned(points, 6), r, true));
  }
  return out;
}

}  // namespace reckon
