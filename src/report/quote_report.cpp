// SPDX-License-Identifier: Apache-2.0
#include "report/quote_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "report/cost_report.hpp"
#include "report/numbers.hpp"

namespace reckon {
namespace {

const std::string not_quoted = "not quoted";

std::string money_cell(const std::optional<QuotedMoney>& m, const std::string& unit) {
  return m ? fmt::format("{} {}{}", decimal_text(Decimal::nearest(m->value)), m->currency, unit) : not_quoted;
}
std::string number_cell(const std::optional<double>& v, const std::string& unit) {
  return v ? fmt::format("{:.6g}", *v) + unit : not_quoted;
}
std::string text_cell(const std::optional<std::string>& v) { return v ? *v : not_quoted; }

const QuoteOutcome* ranked(const std::vector<QuoteOutcome>& all, std::int64_t QuoteOutcome::*rank) {
  const auto found = std::find_if(all.begin(), all.end(), [rank](const QuoteOutcome& o) { return o.*rank == 1; });
  return found == all.end() ? nullptr : &*found;
}

std::string named(const QuoteOutcome& o) { return o.quote.provider + ", " + o.quote.id; }

std::string answer(const std::vector<QuoteOutcome>& all, const QuotePurpose& purpose) {
  const QuoteOutcome *cheapest = ranked(all, &QuoteOutcome::rank_cost), *best = ranked(all, &QuoteOutcome::rank_value);
  if (cheapest == nullptr) return "None of these offers can train " + purpose.model + ".";
  std::string out = fmt::format("Cheapest: {} at {} in {} days.", named(*cheapest), money_text(Dollars{cheapest->cost.p50}),
                                significant(cheapest->days.p50));
  if (!purpose.deadline)
    return out + (best == cheapest
                      ? " It is also the safest: its 90th percentile is the lowest."
                      : fmt::format(" Safest: {}, below {} in 9 of 10 cases.", named(*best), money_text(Dollars{best->cost.p90})));
  if (best->chance < purpose.confidence)
    return out + fmt::format(" None is done within {} with a chance of {} %; nearest is {} with {} %.", run_text(*purpose.deadline),
                             significant(100 * purpose.confidence), named(*best), significant(100 * best->chance, 2));
  return out + fmt::format(" Best value within {}: {}{}, {} % sure, below {} in 9 of 10 cases.", run_text(*purpose.deadline),
                           best == cheapest ? "the same, " : "", named(*best), significant(100 * best->chance, 3),
                           money_text(Dollars{best->cost.p90}));
}

using Cell = std::function<std::string(const QuoteOutcome&)>;

/// A row over all offers; with a plan, else "-".
void row(Grid& grid, const std::vector<QuoteOutcome>& all, const std::string& title, bool planned, const Cell& cell) {
  std::vector<std::string> cells{title};
  for (const QuoteOutcome& o : all) cells.push_back(planned && !o.remark.empty() ? "-" : cell(o));
  grid.rows.push_back(cells);
}

Grid offers(const std::vector<QuoteOutcome>& all) {
  Grid grid{"What is offered", {{"", Align::left}}, {}, {}};
  for (const QuoteOutcome& o : all) grid.heads.push_back({o.quote.id, Align::right});
  const auto unit = [](const QuoteOutcome& o) { return o.quote.kind == "purchase" ? std::string("/device") : std::string("/device-hour"); };
  row(grid, all, "provider", false, [](const auto& o) { return o.quote.provider; });
  row(grid, all, "device", false, [](const auto& o) { return o.quote.device; });
  row(grid, all, "devices", false, [](const auto& o) { return grouped(o.quote.devices); });
  row(grid, all, "kind", false, [](const auto& o) { return o.quote.kind; });
  row(grid, all, "price", false, [&](const auto& o) { return money_cell(o.quote.price, unit(o)); });
  row(grid, all, "list price", false, [&](const auto& o) { return money_cell(o.quote.list_price, unit(o)); });
  row(grid, all, "exchange rate", false, [](const auto& o) {
    return o.rate_date.empty() ? std::string("1, in USD") : fmt::format("{} USD, {}", fmt::format("{:.8g}", o.usd_rate), o.rate_date);
  });
  row(grid, all, "price, USD", false, [&](const auto& o) { return decimal_text(o.usd_price) + unit(o); });
  row(grid, all, "term", false, [](const auto& o) { return number_cell(o.quote.term_months, " months"); });
  row(grid, all, "storage", false, [](const auto& o) { return money_cell(o.quote.storage_price, "/GB-month"); });
  row(grid, all, "egress", false, [](const auto& o) { return money_cell(o.quote.egress_price, "/GB"); });
  row(grid, all, "exit cost", false, [](const auto& o) { return money_cell(o.quote.exit_cost, ""); });
  row(grid, all, "network", false, [](const auto& o) { return text_cell(o.quote.network); });
  row(grid, all, "region", false, [](const auto& o) { return text_cell(o.quote.region); });
  row(grid, all, "delivery", false, [](const auto& o) { return number_cell(o.quote.delivery_days, " days"); });
  row(grid, all, "availability promised", false,
      [](const auto& o) { return o.quote.availability ? fmt::format("{:.6g} %", 100 * *o.quote.availability) : not_quoted; });
  row(grid, all, "warranty", false, [](const auto& o) { return number_cell(o.quote.warranty_years, " years"); });
  row(grid, all, "valid until", false, [](const auto& o) { return text_cell(o.quote.valid_until) + (o.expired ? ", expired" : ""); });
  return grid;
}

Grid outcomes(const std::vector<QuoteOutcome>& all, const QuotePurpose& purpose) {
  Grid grid{"What it means for this run", {{"", Align::left}}, {}, {}};
  for (const QuoteOutcome& o : all) grid.heads.push_back({o.quote.id, Align::right});
  row(grid, all, "total, USD", true, [](const auto& o) { return amount_text(o.total); });
  row(grid, all, "P10 to P90", true,
      [](const auto& o) { return fmt::format("{} to {}", money_text(Dollars{o.cost.p10}), money_text(Dollars{o.cost.p90})); });
  row(grid, all, "days, median", true, [](const auto& o) { return significant(o.days.p50); });
  row(grid, all, "days, P10 to P90", true,
      [](const auto& o) { return fmt::format("{} to {}", significant(o.days.p10), significant(o.days.p90)); });
  row(grid, all, "USD/1e18 useful FLOP", true, [](const auto& o) { return significant(o.usd_per_exaflop); });
  row(grid, all, purpose.counts_tokens ? "USD/1e9 tokens" : "USD/1e9 samples", true,
      [](const auto& o) { return significant(o.usd_per_billion); });
  if (purpose.deadline) row(grid, all, "chance of the deadline", true, [](const auto& o) { return significant(100 * o.chance, 3) + " %"; });
  row(grid, all, "rank by cost", true, [](const auto& o) { return fmt::to_string(o.rank_cost); });
  row(grid, all, "rank by value", true, [](const auto& o) { return fmt::to_string(o.rank_value); });
  if (std::any_of(all.begin(), all.end(), [](const QuoteOutcome& o) { return !o.against.empty(); })) {
    row(grid, all, "buying pays above a use of", true, [](const auto& o) {
      return o.against.empty()                                   ? std::string("-")
             : o.break_even_share > 0 && o.break_even_share <= 1 ? significant(100 * o.break_even_share) + " %"
                                                                 : std::string("never");
    });
    row(grid, all, "and after, months", true, [](const auto& o) {
      return o.against.empty() ? std::string("-") : o.break_even_months > 0 ? significant(o.break_even_months) : std::string("never");
    });
    row(grid, all, "against the rent of", true, [](const auto& o) { return o.against.empty() ? std::string("-") : o.against; });
  }
  return grid;
}

}  // namespace

Document quote_report(const std::vector<QuoteOutcome>& all, const QuotePurpose& purpose) {
  Document out;
  out.title = fmt::format("{} offers to train {} on {} {}", all.size(), purpose.model, count_text(purpose.units),
                          purpose.counts_tokens ? "tokens" : "samples");
  out.blocks.push_back(Paragraph{answer(all, purpose), true});
  out.blocks.push_back(outcomes(all, purpose));
  out.blocks.push_back(offers(all));
  for (const QuoteOutcome& o : all)
    if (!o.remark.empty()) out.blocks.push_back(Paragraph{o.quote.id + ": " + o.remark});
  std::string missing;
  for (const QuoteOutcome& o : all) {
    std::string list;
    const auto note = [&](bool given, const char* what) {
      if (!given) list += (list.empty() ? "" : ", ") + std::string(what);
    };
    note(o.quote.storage_price.has_value(), "storage");
    note(o.quote.egress_price.has_value(), "egress");
    note(o.quote.delivery_days.has_value(), "delivery");
    note(o.quote.exit_cost.has_value(), "exit cost");
    if (!list.empty()) missing += (missing.empty() ? "" : "; ") + o.quote.id + ": " + list;
  }
  if (!missing.empty())
    out.blocks.push_back(
        Paragraph{"Not quoted, and taken from models/costs/defaults.json (delivery: 0 to 14 days; exit: nothing): " + missing + "."});
  out.blocks.push_back(
      Paragraph{fmt::format("Rank by value: first the offers that keep the deadline in {} % of the draws, by the 90th percentile of their "
                            "cost. Prices are without tax.",
                            significant(100 * purpose.confidence))});
  out.blocks.push_back(Paragraph{purpose.provenance});
  return out;
}

}  // namespace reckon
