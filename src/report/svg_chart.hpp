// Charts as inline SVG.  Colours come from the page's style sheet (light, dark, print); the numbers of every chart are in a table beside
// it. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "report/document.hpp"

namespace reckon {

/// The `<svg>` of a chart, with role, title and description for those who cannot see it.  `number` makes the ids unique in the page.
std::string svg_chart(const Chart& chart, int number);

/// Round numbers that cover [low, high]: about `count` of them; on a logarithmic axis 1, 2 and 5 times powers of ten.
std::vector<double> ticks(double low, double high, int count, bool logarithmic);

/// A tick's label: 250, 1.5k, 20M.
std::string tick_text(double value);

}  // namespace reckon
