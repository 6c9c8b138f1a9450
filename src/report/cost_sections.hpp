// The sections of the cost report, one function each.  Internal to src/report.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "io/plan_results.hpp"
#include "report/document.hpp"
#include "report/verdict.hpp"

namespace reckon::detail {

void add_answer(const PlanResults& r, const Verdict& verdict, Document& out);
void add_scope(const PlanResults& r, Document& out);
void add_scenarios(const CostStudy& s, Document& out);
void add_build_up(const CostStudy& s, Document& out);
void add_sensitivity(const CostStudy& s, Document& out);
void add_break_even(const CostStudy& s, Document& out);
void add_energy(const CostStudy& s, Document& out);
void add_risks(const CostStudy& s, Document& out);
void add_register(const CostStudy& s, Document& out);
void add_sizes(const PlanResults& r, const Verdict& verdict, Document& out);
void add_evidence(const PlanResults& r, Document& out);
void add_appendix(const PlanResults& r, Document& out);

/// "517 to 633 days".
std::string range_text(const Quantiles& q, const std::string& unit);
/// Money of the study's currency, three digits: "$13.9M", "EUR 12.9M".
std::string money_of(const CostStudy& s, double value);
std::string money_range(const CostStudy& s, const Quantiles& q);
/// When buying pays, in a sentence; empty where nothing is sold or rented.
std::string break_even_text(const CostStudy& s);

}  // namespace reckon::detail
