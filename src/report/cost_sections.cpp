// SPDX-License-Identifier: Apache-2.0
#include "report/cost_sections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "projection/currency.hpp"
#include "report/cost_report.hpp"
#include "report/numbers.hpp"
#include "report/plan_report.hpp"

namespace reckon::detail {
namespace {

/// The oldest and newest date among the prices of the register.
std::string price_dates(const CostStudy& s) {
  std::string oldest, newest;
  for (const CostAssumption& a : s.model.assumptions) {
    if (a.date.empty() || a.name.find("price") == std::string::npos) continue;
    if (oldest.empty() || a.date < oldest) oldest = a.date;
    if (a.date > newest) newest = a.date;
  }
  return oldest.empty() ? "no date" : oldest == newest ? oldest : oldest + " to " + newest;
}

std::string signed_money(const CostStudy& s, double value) { return (value < 0 ? "-" : "+") + money_of(s, std::abs(value)); }

/// The value for people: money and counts as they are, shares in per cent.
std::string value_text(const CostAssumption& a, double value) {
  return a.unit == "1" ? significant(value, 4) : significant(value, 4) + " " + a.unit;
}

std::string title_and_unit(const CostAssumption& a) { return a.unit == "1" ? a.title : a.title + ", " + a.unit; }

std::string distribution_note(const CostStudy& s, const std::string& name, const std::string& unit) {
  return s.uncertainty.draws > 0 ? "P10 to P90: " + range_text(s.distribution(name).spread, unit) : "no draws";
}

}  // namespace

void add_answer(const PlanResults& r, const Verdict& verdict, Document& out) {
  if (!r.costs) {
    out.blocks.push_back(Paragraph{verdict.sentence, true});
    for (const std::string& line : verdict.details) out.blocks.push_back(Paragraph{line});
    return;
  }
  const CostStudy& s = *r.costs;
  const Amount total = s.ledger.total(s.model.chosen);
  const bool drawn = s.uncertainty.draws > 0;
  // the middle of the draws, with its range: delays only add, so that the plan itself can lie below the 10th percentile
  const auto middle = [&](const char* name) { return drawn ? s.distribution(name).spread.p50 : s.value(name); };
  const auto as_planned = [&](const char* name) { return drawn ? "; " + significant(s.value(name)) + " as planned" : ""; };
  const double planned = s.value("calendar_days"), likely = middle("calendar_days");
  std::string lead = fmt::format("{} \u00d7 {}: {} days", grouped(s.devices), r.question.device_name, significant(likely));
  if (drawn) lead += " (P10 to P90: " + range_text(s.distribution("calendar_days").spread, "") + ")";
  lead += ", " + money_of(s, total.value());
  if (drawn) lead += " (P10 to P90: " + money_range(s, s.distribution(s.model.chosen).spread) + ")";
  lead += " " + s.chosen().title + ".";
  out.blocks.push_back(Paragraph{lead, true});
  const std::string even = break_even_text(s);
  if (!even.empty()) out.blocks.push_back(Paragraph{even});
  out.blocks.push_back(
      Paragraph{verdict.sentence + " That is the rent of the devices alone; the totals of this report hold all rows below."});
  for (const std::string& line : verdict.details) out.blocks.push_back(Paragraph{line});

  const double work = s.value("run_work") * s.value("run_count"), units = s.value("unit_count") * s.value("run_count");
  const std::string unit = r.question.counts_tokens ? "tokens" : "samples";
  Facts facts;
  facts.facts = {{"Total", s.model.currency + " " + amount_text(total),
                  drawn ? "P10 to P90: " + money_range(s, s.distribution(s.model.chosen).spread) : s.chosen().title},
                 {"Days until done", significant(likely),
                  distribution_note(s, "calendar_days", "days") + (drawn ? "; " + significant(planned) + " if nothing is late" : "")},
                 {"Energy", significant(middle("energy_mwh")) + " MWh", distribution_note(s, "energy_mwh", "MWh") + as_planned("energy_mwh")},
                 {"Carbon", significant(middle("carbon_t")) + " t CO2e", distribution_note(s, "carbon_t", "t") + as_planned("carbon_t")},
                 {"Power", significant(s.value("average_mw")) + " MW", "on average; at most " + significant(s.value("peak_mw")) + " MW"},
                 {"Goodput", significant(100 * s.value("goodput_share")) + " %",
                  fmt::format("{} interruptions to expect", significant(s.value("expected_events")))}};
  if (work > 0) facts.facts.push_back({"Per 1e18 useful FLOP", price_text(total.value() / work, s.model.currency), "of the whole total"});
  if (units > 0) facts.facts.push_back({"Per 1e9 " + unit, price_text(total.value() / units, s.model.currency), "of the whole total"});
  out.blocks.push_back(facts);
}

void add_scope(const PlanResults& r, Document& out) {
  out.blocks.push_back(Heading{2, "Scope and date"});
  const PlanProvenance& p = r.provenance;
  std::string text =
      fmt::format("Priced is the training of {} ({} parameters) on {} {} on {} (software: {}), in {} (ISO 4217), without tax.",
                  r.question.model, count_text(r.question.parameters), count_text(r.question.units),
                  r.question.counts_tokens ? "tokens" : "samples", r.question.cluster_name, r.question.stack_name, r.currency);
  if (const CostAssumption* rate = r.costs ? exchange_rate(*r.costs) : nullptr)
    text += fmt::format(" 1 {} = {:.8g} USD on {} ({}); prices stated in USD are divided by it.", r.currency, rate->value, rate->date,
                        r.costs->label(rate->name));
  if (r.costs) text += fmt::format(" Prices are of {}; they age. This is a projection, not an invoice or an offer.", price_dates(*r.costs));
  out.blocks.push_back(Paragraph{text});
  out.blocks.push_back(
      Paragraph{fmt::format("Made by reckon {} (git {}){}; results {}.", p.version,
                            p.git_commit.empty() ? "unknown" : p.git_commit.substr(0, 12), p.date.empty() ? "" : " on " + p.date, p.uuid)});
}

void add_scenarios(const CostStudy& s, Document& out) {
  out.blocks.push_back(Heading{2, "Ways to come by the devices"});
  const std::string& code = s.model.currency;
  Grid grid{"", {{"", Align::left}, {"total, " + code}, {"P10"}, {"P50"}, {"P90"}, {code + "/1e18 FLOP"}, {"cheapest in"}}, {}, {}};
  const double work = s.value("run_work") * s.value("run_count");
  for (std::size_t i = 0; i < s.model.scenarios.size(); ++i) {
    const CostScenario& scenario = s.model.scenarios[i];
    if (scenario.id == s.model.chosen) grid.strong.push_back(i);
    const Amount total = s.ledger.totals[i].total;
    std::vector<std::string> row{scenario.title, amount_text(total)};
    const bool drawn = s.uncertainty.draws > 0;
    const Quantiles q = drawn ? s.distribution(scenario.id).spread : Quantiles{};
    for (const double v : {q.p10, q.p50, q.p90}) row.push_back(drawn ? money_of(s, v) : "-");
    row.push_back(work > 0 ? significant(total.value() / work) : "-");
    row.push_back(drawn ? significant(100 * s.uncertainty.wins[i], 2) + " %" : "-");
    grid.rows.push_back(row);
  }
  out.blocks.push_back(grid);
  out.blocks.push_back(Paragraph{
      "\"Cheapest in\" is the share of the draws in which this way costs least. Spot capacity of this size may not be there when it is "
      "wanted; a commitment is charged to this run as far as nobody else uses it (idle_charge_share)."});
}

void add_build_up(const CostStudy& s, Document& out) {
  out.blocks.push_back(Heading{2, "Cost build-up"});
  for (const CostScenario& scenario : s.model.scenarios) {
    Grid grid{scenario.title,
              {{"category", Align::left},
               {"item", Align::left},
               {"quantity"},
               {"unit", Align::left},
               {"unit price, " + s.model.currency},
               {"amount, " + s.model.currency},
               {"rests on", Align::left}},
              {},
              {}};
    for (const LedgerRow& row : s.ledger.rows) {
      if (row.scenario != scenario.id) continue;
      std::vector<std::string> labels;
      for (const std::string& name : row.rests) labels.push_back(s.label(name));
      grid.rows.push_back({row.category, row.item, decimal_text(row.quantity), row.unit, decimal_text(row.unit_price),
                           amount_text(row.amount), join(labels, " ")});
    }
    grid.strong.push_back(grid.rows.size());
    grid.rows.push_back({"total", "", "", "", "", amount_text(s.ledger.total(scenario.id)), ""});
    out.blocks.push_back(grid);
  }
  out.blocks.push_back(Paragraph{
      "Each amount is quantity times unit price, rounded to the cent; each total is the sum of its rows. What a bought cluster costs is "
      "charged by the share of its used life (device lives)."});
}

void add_sensitivity(const CostStudy& s, Document& out) {
  if (s.uncertainty.draws == 0) return;
  out.blocks.push_back(Heading{2, "What moves the cost"});
  Grid grid{fmt::format("The ten largest swings of the total, {}", s.chosen().title),
            {{"", Align::left},
             {"assumption", Align::left},
             {"low"},
             {"value"},
             {"high"},
             {"total at low"},
             {"total at high"},
             {"days"},
             {"of the variance"}},
            {},
            {}};
  const auto swings = largest_swings(s.uncertainty, 10);
  for (const Sensitivity* x : swings) {
    const CostAssumption& a = s.model.assumptions[s.model.sheet.index(x->assumption)];
    grid.rows.push_back({s.label(a.name), title_and_unit(a), significant(a.low), significant(a.value), significant(a.high),
                         money_of(s, x->at_low), money_of(s, x->at_high), significant(x->days_low) + " to " + significant(x->days_high),
                         significant(100 * x->variance_share, 2) + " %"});
  }
  out.blocks.push_back(grid);
  if (swings.size() >= 2) {
    const CostAssumption &a = s.model.assumptions[s.model.sheet.index(swings[0]->assumption)],
                         &b = s.model.assumptions[s.model.sheet.index(swings[1]->assumption)];
    Grid two{fmt::format("Total by the two of them: {} down, {} across", title_and_unit(a), title_and_unit(b)),
             {{s.label(a.name), Align::right}},
             {},
             {}};
    for (const double y : {b.low, b.value, b.high}) two.heads.push_back({significant(y), Align::right});
    for (const double x : {a.low, a.value, a.high}) {
      std::vector<std::string> row{significant(x)};
      for (const double y : {b.low, b.value, b.high}) {
        std::vector<double> assumed;
        for (const CostAssumption& one : s.model.assumptions)
          assumed.push_back(one.name == a.name ? x : one.name == b.name ? y : one.value);
        row.push_back(money_of(s, scenario_cost(s.model, s.model.values(assumed), s.model.chosen)));
      }
      two.rows.push_back(row);
    }
    out.blocks.push_back(two);
  }
  std::vector<const Sensitivity*> worth;
  for (const Sensitivity& x : s.uncertainty.sensitivities)
    if (x.worth > 0.0005 * s.ledger.total(s.model.chosen).value()) worth.push_back(&x);
  std::stable_sort(worth.begin(), worth.end(), [](const Sensitivity* a, const Sensitivity* b) { return a->worth > b->worth; });
  if (worth.empty()) {
    out.blocks.push_back(
        Paragraph{"No single assumption, known exactly, would change which way to come by the devices is the cheapest by more than 0.05 % "
                  "of the total."});
    return;
  }
  std::string text = "Worth a measurement before choosing how to come by the devices: ";
  for (std::size_t i = 0; i < std::min<std::size_t>(3, worth.size()); ++i)
    text += fmt::format("{}{} {} (saves {} on average when known)", i > 0 ? "; " : "", s.label(worth[i]->assumption),
                        s.model.assumptions[s.model.sheet.index(worth[i]->assumption)].title, money_of(s, worth[i]->worth));
  out.blocks.push_back(Paragraph{text + "."});
}

namespace {

/// Break-even when rents fall while the bought cluster serves; not in files of older programs.
void add_falling_rents(const CostStudy& s, Document& out) {
  if (!s.model.sheet.has("rent_decline")) return;
  Grid grid{"When rents fall",
            {{"a year, %"}, {"mean rent over the years in service, " + s.model.currency + "/device-hour"}, {"buying pays above a use of"}},
            {},
            {}};
  const std::size_t decline = s.model.sheet.index("rent_decline");
  std::vector<double> assumed;
  for (const CostAssumption& a : s.model.assumptions) assumed.push_back(a.value);
  for (const double share : {0.0, 0.1, 0.2, 0.3}) {
    assumed[decline] = share;
    const std::vector<double> values = s.model.values(assumed);
    const auto value = [&](const char* name) { return values[s.model.sheet.index(name)]; };
    const double use = value("break_even_share");
    grid.rows.push_back(
        {significant(100 * share), significant(value("mean_rent_price")), use > 0 && use <= 1 ? significant(100 * use) + " %" : "never"});
  }
  out.blocks.push_back(grid);
}

}  // namespace

void add_break_even(const CostStudy& s, Document& out) {
  if (!s.model.sheet.has("break_even_share")) return;
  out.blocks.push_back(Heading{2, "Rent or buy"});
  out.blocks.push_back(Paragraph{break_even_text(s)});
  Grid grid{"", {{"", Align::left}, {"value"}, {"unit", Align::left}}, {}, {}};
  for (const char* name : {"upfront_cost", "purchase_price", "depreciation_year", "own_used_price", "own_hour_price", "rent_month",
                           "own_month", "break_even_share", "break_even_months"}) {
    const SheetCell& cell = s.model.sheet.cells()[s.model.sheet.index(name)];
    grid.rows.push_back({cell.title, significant(s.value(name), 4), cell.unit});
  }
  out.blocks.push_back(grid);
  add_falling_rents(s, out);
}

void add_energy(const CostStudy& s, Document& out) {
  out.blocks.push_back(Heading{2, "Energy and carbon"});
  Grid grid{"", {{"", Align::left}, {"value"}, {"unit", Align::left}}, {}, {}};
  for (const char* name : {"energy_mwh", "average_mw", "peak_mw", "pue_ratio", "grid_carbon", "operational_t", "embodied_t", "carbon_t"}) {
    const SheetCell& cell = s.model.sheet.cells()[s.model.sheet.index(name)];
    grid.rows.push_back({cell.title, significant(s.value(name), 4), cell.unit});
  }
  out.blocks.push_back(grid);
  const CostAssumption& carbon = s.model.assumptions[s.model.sheet.index("grid_carbon")];
  out.blocks.push_back(Paragraph{fmt::format(
      "Electricity of: {} ({}, {}). Operational carbon is location-based, without offsets; embodied carbon is the share of the devices' "
      "life "
      "that the run uses (Software Carbon Intensity: (E x I) + M). Power follows the share of the step in which devices compute.",
      s.place, carbon.source, carbon.date)});
}

void add_risks(const CostStudy& s, Document& out) {
  out.blocks.push_back(Heading{2, "Risks"});
  const CostAssumption& error = s.model.assumptions[s.model.sheet.index("model_error")];
  const CostAssumption& slip = s.model.assumptions[s.model.sheet.index("slip_days")];
  out.blocks.push_back(Paragraph{fmt::format("Prediction: the real step takes {} to {} times the predicted one in 8 of 10 cases ({}).",
                                             significant(error.low), significant(error.high), error.source)});
  out.blocks.push_back(Paragraph{
      fmt::format("Interruptions: {} to expect; their number is drawn from a Poisson distribution, their rate from {} to {} a device-day.",
                  significant(s.value("expected_events")), significant(s.model.assumptions[s.model.sheet.index("failure_rate")].low),
                  significant(s.model.assumptions[s.model.sheet.index("failure_rate")].high))});
  out.blocks.push_back(Paragraph{fmt::format(
      "Delivery: a late start of {} to {} days is drawn; it costs days, not rent. Prices: their range is drawn; a fall during the "
      "term of a commitment is not, see Rent or buy for falling rents. Availability of capacity is not modelled.",
      significant(slip.low), significant(slip.high))});
}

void add_register(const CostStudy& s, Document& out) {
  out.blocks.push_back(Heading{2, "Assumptions register"});
  Grid grid{"",
            {{"", Align::left},
             {"what", Align::left},
             {"value", Align::left},
             {"low to high", Align::left},
             {"basis", Align::left},
             {"source", Align::left},
             {"date", Align::left},
             {"-10 %"},
             {"+10 %"}},
            {},
            {}};
  for (std::size_t i = 0; i < s.model.assumptions.size(); ++i) {
    const CostAssumption& a = s.model.assumptions[i];
    const bool fixed = a.spread == Spread::fixed;
    std::vector<std::string> row{
        s.label(a.name),
        fmt::format("{} ({})", a.title, a.name),
        value_text(a, a.value),
        fixed ? "fixed"
              : fmt::format("{} to {}, {}", significant(a.low), significant(a.high), spread_names()[static_cast<std::size_t>(a.spread)]),
        a.basis,
        a.source,
        a.date};
    if (s.uncertainty.draws > 0) {
      const Sensitivity& x = s.uncertainty.sensitivities[i];
      row.push_back(std::abs(x.minus_tenth) < 0.005 ? "0" : signed_money(s, x.minus_tenth));
      row.push_back(std::abs(x.plus_tenth) < 0.005 ? "0" : signed_money(s, x.plus_tenth));
    }
    grid.rows.push_back(row);
  }
  out.blocks.push_back(grid);
  out.blocks.push_back(Paragraph{fmt::format(
      "The last columns say what the total, {}, does when the value is 10 % lower or higher. Nothing is in a total that is not a "
      "formula of these.{}",
      s.chosen().title,
      s.uncertainty.draws > 0 ? fmt::format(" {} draws, seed {}.", grouped(s.uncertainty.draws), s.uncertainty.seed) : "")});
}

void add_sizes(const PlanResults& r, const Verdict& verdict, Document& out) {
  out.blocks.push_back(Heading{2, "Sizes"});
  Grid grid{"",
            {{"devices"},
             {"days"},
             {"rent, " + r.currency},
             {"device-hours"},
             {"step, s"},
             {"MFU, %"},
             {"memory, GiB"},
             {"goodput, %"},
             {"strategy or remark", Align::left}},
            {},
            {}};
  for (const PlanSize& size : r.sizes) {
    const PlanPoint* p = r.best_of(size.devices);
    if (p == nullptr) {
      grid.rows.push_back({grouped(size.devices), "-", "-", "-", "-", "-", "-", "-", size.remark});
      continue;
    }
    if (verdict.answer != nullptr && p->devices == verdict.answer->devices) grid.strong.push_back(grid.rows.size());
    const Projection& t = p->projection;
    grid.rows.push_back({grouped(p->devices), significant(t.wall_time.in(days)), money_text(t.cost(), r.currency),
                         grouped(std::llround(t.device_hours)), significant(p->cost.time.total().base()), significant(100 * p->cost.mfu),
                         significant(p->cost.memory.total().in(gibibytes)), significant(100 * t.goodput.value),
                         short_strategy(p->strategy)});
  }
  out.blocks.push_back(grid);
}

void add_evidence(const PlanResults& r, Document& out) {
  if (r.assumptions.empty()) return;
  out.blocks.push_back(Heading{2, "What the prediction rests on"});
  Grid grid{
      "", {{"what", Align::left}, {"value", Align::left}, {"basis", Align::left}, {"source", Align::left}, {"date", Align::left}}, {}, {}};
  for (const Assumption& a : r.assumptions) grid.rows.push_back({a.name, a.value, a.basis, a.source, a.date});
  out.blocks.push_back(grid);
}

void add_appendix(const PlanResults& r, Document& out) {
  out.blocks.push_back(Heading{2, "Appendix"});
  if (!r.provenance.command_line.empty()) out.blocks.push_back(Paragraph{r.provenance.command_line});
  Grid grid{"", {{"input", Align::left}, {"file", Align::left}, {"bytes"}, {"SHA-256", Align::left}}, {}, {}};
  for (const InputText& i : r.inputs) grid.rows.push_back({i.name, i.path, grouped(static_cast<std::int64_t>(i.text.size())), i.sha256});
  out.blocks.push_back(grid);
}

}  // namespace reckon::detail
