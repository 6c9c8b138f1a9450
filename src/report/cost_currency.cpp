// SPDX-License-Identifier: Apache-2.0
#include "report/cost_currency.hpp"

#include <fmt/format.h>

#include "report/cost_report.hpp"

namespace reckon {

Amount converted(Amount amount, const ReportCurrency& currency) {
  constexpr std::int64_t micro_a_cent = 10'000;
  if (amount.cents > INT64_MAX / micro_a_cent || amount.cents < -INT64_MAX / micro_a_cent)
    throw MoneyRangeError("an amount is too large to be converted to " + currency.code);
  return product(Decimal::from_micro(amount.cents * micro_a_cent), currency.per_usd());
}

namespace detail {

void add_currency(const CostStudy& s, const ReportCurrency& currency, Document& out) {
  out.blocks.push_back(Heading{2, "In " + currency.code});
  const std::string unit = ", " + currency.code;
  Grid totals{"", {{"", Align::left}, {"total, USD"}, {"total" + unit}}, {}, {}};
  for (const CostScenario& scenario : s.model.scenarios) {
    Amount sum;
    for (const LedgerRow& row : s.ledger.rows)
      if (row.scenario == scenario.id) sum += converted(row.amount, currency);
    if (scenario.id == s.model.chosen) totals.strong.push_back(totals.rows.size());
    totals.rows.push_back({scenario.title, amount_text(s.ledger.total(scenario.id)), amount_text(sum)});
  }
  out.blocks.push_back(totals);
  Grid rows{s.chosen().title, {{"category", Align::left}, {"item", Align::left}, {"amount, USD"}, {"amount" + unit}}, {}, {}};
  for (const LedgerRow& row : s.ledger.rows)
    if (row.scenario == s.model.chosen)
      rows.rows.push_back({row.category, row.item, amount_text(row.amount), amount_text(converted(row.amount, currency))});
  out.blocks.push_back(rows);
  out.blocks.push_back(Paragraph{fmt::format(
      "1 {} = {:.8g} USD{}, so 1 USD = {} {}. Every row is converted and rounded to the hundredth; totals are sums of converted rows.",
      currency.code, currency.usd, currency.date.empty() ? "" : " on " + currency.date, currency.per_usd().text(), currency.code)});
}

}  // namespace detail
}  // namespace reckon
