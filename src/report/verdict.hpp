// The answer to "how many devices, by when, for how much" in one sentence.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "io/plan_results.hpp"

namespace reckon {

/// open: nothing was demanded, the answer is the cheapest plan.  met: the smallest cluster within deadline and budget.  missed: plans
/// exist, none meets the demands; the answer is the nearest miss.  nothing: no size has a plan.
enum class VerdictKind { open, met, missed, nothing };

struct Verdict {
  VerdictKind kind = VerdictKind::nothing;
  const PlanPoint* answer = nullptr;  ///< in the results; null with `nothing`
  const PlanPoint* fastest = nullptr;
  std::string sentence;              ///< the answer in words, one line
  std::vector<std::string> details;  ///< what is missing, and what would cure it
  bool satisfied() const { return kind == VerdictKind::open || kind == VerdictKind::met; }
};

/// The nearest miss is the plan whose largest of time / deadline and cost / budget is smallest.  The results must outlive the verdict.
Verdict judge(const PlanResults& results);

/// The verdict as results keep it.
PlanAnswer answer_of(const Verdict& verdict);

}  // namespace reckon
