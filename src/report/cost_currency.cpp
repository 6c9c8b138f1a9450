// SPDX-License-Identifier: Apache-2.0
#include "report/cost_currency.hpp"

#include "report/verdict.hpp"

namespace reckon {

PlanResults in_currency(PlanResults r, const Currency& currency) {
  r.currency = currency.code;
  r.question.run.price = r.question.run.price / currency.usd;
  if (r.question.budget) r.question.budget = *r.question.budget / currency.usd;
  for (auto* points : {&r.candidates, &r.nearest_misses})
    for (PlanPoint& p : *points)
      p.projection.cost_micro_usd = Decimal::nearest(static_cast<double>(p.projection.cost_micro_usd) * 1e-6 / currency.usd).micro();
  if (r.costs) r.costs = in_currency(*r.costs, currency);
  r.answer = answer_of(judge(r));
  return r;
}

}  // namespace reckon
