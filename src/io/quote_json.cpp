// SPDX-License-Identifier: Apache-2.0
#include "io/quote_json.hpp"

#include <nlohmann/json.hpp>

#include "io/json.hpp"

namespace reckon {
namespace {

using Json = nlohmann::ordered_json;

Json money(const std::optional<QuotedMoney>& m) {
  return m ? Json{{"value", Decimal::nearest(m->value).text()}, {"currency", m->currency}} : Json(nullptr);
}
template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace

std::string quotes_json(const std::vector<QuoteOutcome>& outcomes, const std::string& model, double units,
                        const std::string& command_line) {
  Json out{{"schema", "reckon/quotes-compared/1"}, {"model", model}, {"units", units}, {"command_line", command_line}};
  Json list = Json::array();
  for (const QuoteOutcome& o : outcomes) {
    const Quote& q = o.quote;
    Json one{{"id", q.id},
             {"provider", q.provider},
             {"device", q.device},
             {"devices", q.devices},
             {"kind", q.kind},
             {"price", money(q.price)},
             {"list_price", money(q.list_price)},
             {"storage_price", money(q.storage_price)},
             {"egress_price", money(q.egress_price)},
             {"exit_cost", money(q.exit_cost)},
             {"term_months", or_null(q.term_months)},
             {"delivery_days", or_null(q.delivery_days)},
             {"availability", or_null(q.availability)},
             {"warranty_years", or_null(q.warranty_years)},
             {"valid_until", or_null(q.valid_until)},
             {"network", or_null(q.network)},
             {"region", or_null(q.region)},
             {"expired", o.expired},
             {"exchange_rate_usd", o.usd_rate},
             {"exchange_rate_date", o.rate_date.empty() ? Json(nullptr) : Json(o.rate_date)},
             {"price_usd", o.usd_price.text()},
             {"remark", o.remark.empty() ? Json(nullptr) : Json(o.remark)}};
    if (o.remark.empty()) {
      one["total_usd"] = o.total.text();
      one["cost_usd"] = {{"p10", o.cost.p10}, {"p50", o.cost.p50}, {"p90", o.cost.p90}};
      one["days"] = {{"p10", o.days.p10}, {"p50", o.days.p50}, {"p90", o.days.p90}};
      one["chance_of_deadline"] = o.chance;
      one["usd_per_1e18_useful_flop"] = o.usd_per_exaflop;
      one["usd_per_1e9_units"] = o.usd_per_billion;
      one["rank_by_cost"] = o.rank_cost;
      one["rank_by_value"] = o.rank_value;
      one["break_even_against"] = o.against.empty() ? Json(nullptr) : Json(o.against);
      one["break_even_use_share"] = o.break_even_share > 0 ? Json(o.break_even_share) : Json(nullptr);
      one["break_even_months"] = o.break_even_months > 0 ? Json(o.break_even_months) : Json(nullptr);
    }
    list.push_back(one);
  }
  out["quotes"] = list;
  return dump_json(out);
}

}  // namespace reckon
