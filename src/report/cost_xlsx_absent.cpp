// Stands in where libxlsxwriter was not found.
// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "report/cost_xlsx.hpp"

namespace reckon {

std::string cost_xlsx(const PlanResults&) {
  throw UsageError("this program was built without libxlsxwriter and writes no XLSX",
                   "install libxlsxwriter-dev and build again, or write .csv");
}

}  // namespace reckon
