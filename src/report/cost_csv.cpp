// SPDX-License-Identifier: Apache-2.0
#include "report/cost_csv.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "projection/currency.hpp"
#include "report/numbers.hpp"

namespace reckon {
namespace {

using Line = std::vector<std::pair<const char*, std::string>>;

std::string pricing_category(const std::string& scenario) {
  if (scenario == "spot") return "Dynamic";
  if (scenario.starts_with("reserved") || scenario == "block") return "Committed";
  return scenario == "on_demand" || scenario == "given" ? "Standard" : "Other";
}

std::string service_category(const std::string& category) {
  if (category == "data") return "Storage";
  if (category == "compute" || category == "commitment" || category == "purchase") return "AI and Machine Learning";
  return "Other";
}

std::string service_subcategory(const std::string& category) {
  const std::string parent = service_category(category);
  return parent == "Storage" ? "Object Storage" : parent == "Other" ? "Other (Other)" : "Machine Learning";
}

/// FOCUS spells units in singular capitals with a hyphen: "Device-Hours".
std::string focus_unit(const std::string& unit) {
  if (unit == "device-hours") return "Device-Hours";
  if (unit == "GB-months") return "GB-Months";
  if (unit == "kW-months") return "kW-Months";
  if (unit == "device lives") return "Device-Lives";
  if (unit == "FTE-months") return "FTE-Months";
  if (unit.starts_with("1e9 ")) return unit == "1e9 tokens" ? "1000000000 Tokens" : "1000000000 Samples";
  return unit;
}

/// The text of a JSON string.
std::string json_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : printable(text, 1000)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

Line line_of(const PlanResults& r, const CostStudy& s, const LedgerRow& row) {
  const bool cash_later =
      row.scenario == "buy" && (row.category == "purchase" || row.category == "end of life" || row.category == "finance");
  const Distribution* d = s.uncertainty.draws > 0 ? &s.distribution(row.scenario) : nullptr;
  const CostAssumption* rate = exchange_rate(s);
  const bool reserved = row.scenario.starts_with("reserved") && (row.category == "compute" || row.category == "commitment");
  const std::string amount = row.amount.text(), price = row.unit_price.text(), quantity = row.quantity.text();
  return {{"BillingAccountId", "projection"},
          {"BillingAccountName", r.question.model + " on " + r.question.cluster},
          {"BillingCurrency", s.model.currency},
          {"BillingPeriodStart", r.provenance.date},
          {"BillingPeriodEnd", ""},
          {"ChargePeriodStart", r.provenance.date},
          {"ChargePeriodEnd", ""},
          {"ChargeCategory", "Usage"},
          {"ChargeClass", ""},
          {"ChargeDescription", "PROJECTED " + row.item},
          {"ChargeFrequency", "Usage-Based"},
          {"BilledCost", cash_later ? "0.00" : amount},
          {"EffectiveCost", amount},
          {"ListCost", amount},
          {"ContractedCost", amount},
          {"ListUnitPrice", price},
          {"ContractedUnitPrice", price},
          {"PricingCategory", pricing_category(row.scenario)},
          {"PricingQuantity", quantity},
          {"PricingUnit", focus_unit(row.unit)},
          {"ConsumedQuantity", quantity},
          {"ConsumedUnit", focus_unit(row.unit)},
          {"CommitmentDiscountCategory", reserved ? "Usage" : ""},
          {"CommitmentDiscountId", reserved ? row.scenario : ""},
          {"CommitmentDiscountStatus", !reserved                      ? ""
                                       : row.category == "commitment" ? "Unused"
                                                                      : "Used"},
          {"CommitmentDiscountType", reserved ? "Reservation" : ""},
          {"InvoiceId", ""},
          {"InvoiceIssuerName", "projection"},
          {"ProviderName", "projection"},
          {"PublisherName", "reckon " + r.provenance.version},
          {"RegionName", s.place},
          {"ResourceName", r.question.cluster_name},
          {"ResourceType", r.question.device_name},
          {"ServiceCategory", service_category(row.category)},
          {"ServiceSubcategory", service_subcategory(row.category)},
          {"ServiceName", row.category},
          {"SkuId", row.scenario + "/" + row.item},
          {"Tags", fmt::format("{{\"plan:scenario\":{},\"plan:confidence\":\"point\"}}", json_text(row.scenario))},
          {"x_FocusVersion", "1.2"},
          {"x_UsdRate", rate ? fmt::format("{}", rate->value) : "1"},
          {"x_UsdRateDate", rate ? rate->date : ""},
          {"x_Scenario", row.scenario},
          {"x_GpuModel", r.question.device},
          {"x_GpuCount", fmt::to_string(s.devices)},
          {"x_RestsOn", join(row.rests, " ")},
          {"x_EnergyMWh", fmt::format("{:.3f}", s.value("energy_mwh"))},
          {"x_CO2eT", fmt::format("{:.3f}", s.value("carbon_t"))},
          {"x_ScenarioCostP10", d ? fmt::format("{:.2f}", d->spread.p10) : ""},
          {"x_ScenarioCostP50", d ? fmt::format("{:.2f}", d->spread.p50) : ""},
          {"x_ScenarioCostP90", d ? fmt::format("{:.2f}", d->spread.p90) : ""}};
}

/// The purchase itself, as cash.
Line purchase_line(const PlanResults& r, const CostStudy& s) {
  LedgerRow row{"buy",
                "purchase",
                "whole cluster, paid at the start",
                "clusters",
                Decimal::nearest(1),
                Decimal::nearest(round_half_away(s.value("upfront_cost"), 2)),
                {},
                {}};
  row.amount = product(row.quantity, row.unit_price);
  Line line = line_of(r, s, row);
  for (auto& [name, value] : line) {
    if (std::string_view(name) == "ChargeCategory") value = "Purchase";
    if (std::string_view(name) == "ChargeFrequency") value = "One-Time";
    if (std::string_view(name) == "BilledCost") value = row.amount.text();
    if (std::string_view(name) == "EffectiveCost") value = "0.00";
  }
  return line;
}

void append(std::string& out, const Line& line) {
  for (std::size_t i = 0; i < line.size(); ++i) out += (i > 0 ? "," : "") + csv_text(line[i].second);
  out += "\n";
}

}  // namespace

std::string csv_text(std::string_view text) {
  std::string out(text);
  const bool number =
      !text.empty() && text.find_first_not_of("0123456789.-") == std::string_view::npos && text.find('-', 1) == std::string_view::npos;
  if (!text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos && !number) out.insert(0, "'");
  if (out.find_first_of(",\"\r\n") == std::string::npos) return out;
  std::string quoted = "\"";
  for (const char c : out) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string cost_csv(const PlanResults& r) {
  if (!r.costs)
    throw UsageError("the results hold no cost study", "there is none where no plan fits; a file of an older program is planned again");
  const CostStudy& s = *r.costs;
  std::string out;
  for (const LedgerRow& row : s.ledger.rows) {
    const Line line = line_of(r, s, row);
    if (out.empty()) {
      for (std::size_t i = 0; i < line.size(); ++i) out += (i > 0 ? "," : "") + std::string(line[i].first);
      out += "\n";
    }
    append(out, line);
  }
  if (s.model.sheet.has("upfront_cost")) append(out, purchase_line(r, s));
  return out;
}

}  // namespace reckon
