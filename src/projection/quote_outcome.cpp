// SPDX-License-Identifier: Apache-2.0
#include "projection/quote_outcome.hpp"

#include <algorithm>
#include <cstddef>

namespace reckon {

void rank_quotes(std::vector<QuoteOutcome>& outcomes, double confidence) {
  std::vector<QuoteOutcome*> ranked;
  for (QuoteOutcome& o : outcomes)
    if (o.remark.empty()) ranked.push_back(&o);
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto* a, const auto* b) { return a->cost.p50 < b->cost.p50; });
  for (std::size_t i = 0; i < ranked.size(); ++i) ranked[i]->rank_cost = static_cast<std::int64_t>(i) + 1;
  std::stable_sort(ranked.begin(), ranked.end(), [confidence](const auto* a, const auto* b) {
    const bool keeps_a = a->chance >= confidence, keeps_b = b->chance >= confidence;
    if (keeps_a != keeps_b) return keeps_a;
    return keeps_a ? a->cost.p90 < b->cost.p90 : a->chance > b->chance;
  });
  for (std::size_t i = 0; i < ranked.size(); ++i) ranked[i]->rank_value = static_cast<std::int64_t>(i) + 1;
}

}  // namespace reckon
