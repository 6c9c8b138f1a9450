// SPDX-License-Identifier: Apache-2.0
#include "report/svg_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/numbers.hpp"

namespace reckon {
namespace {

constexpr double width = 340, left = 46, right = 12, top = 10, legend_row = 15;

std::string text_at(double x, double y, const std::string& anchor, const std::string& text, const std::string& more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor, more, xml_text(text));
}

std::string line_at(double x1, double y1, double x2, double y2, const std::string& style) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", x1, y1, x2, y2, style);
}

std::string rectangle(double x, double y, double w, double h, const std::string& style) {
  return fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" class=\"{}\"/>\n", x, y, std::max(0.5, w), h,
                     style);
}

/// Text cut to what fits in `room`, at about 5.6 units a character.
std::string cut(const std::string& text, double room) {
  const auto most = static_cast<std::size_t>(std::max(4.0, room / 5.6));
  if (display_width(text) <= most) return text;
  std::string out = text.substr(0, most - 1);
  while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0u) == 0x80u) out.pop_back();
  return out + "\u2026";
}

/// A scale of numbers onto pixels.
struct Axis {
  double low = 0, high = 1, from = 0, to = 1;
  bool logarithmic = false;
  double at(double v) const {
    const double share = logarithmic ? std::log(v / low) / std::log(high / low) : (v - low) / (high - low);
    return from + share * (to - from);
  }
};

Axis axis_over(std::vector<double> values, double from, double to, bool logarithmic, bool with_zero) {
  std::erase_if(values, [&](double v) { return !std::isfinite(v) || (logarithmic && v <= 0); });
  if (values.empty()) values = {1, 2};
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  Axis axis{*least, *most, from, to, logarithmic};
  if (logarithmic) {
    if (!(axis.high > 1.01 * axis.low)) axis.low /= 2, axis.high *= 2;
    return axis;
  }
  if (with_zero) axis.low = std::min(0.0, axis.low);
  const double room = std::max(axis.high - axis.low, 1e-9 * std::abs(axis.high) + 1e-12);
  axis.high += 0.06 * room;
  if (axis.low != 0 || !with_zero) axis.low -= 0.06 * room;
  return axis;
}

std::string frame(const Axis& x, const Axis& y, const Chart& chart) {
  std::string out;
  for (const double v : ticks(y.low, y.high, 5, y.logarithmic)) {
    out += line_at(x.from, y.at(v), x.to, y.at(v), "grid");
    out += text_at(x.from - 5, y.at(v) + 4, "end", tick_text(v));
  }
  double last = -100;
  for (const double v : ticks(x.low, x.high, 5, x.logarithmic)) {
    if (x.at(v) - last < 34) continue;
    last = x.at(v);
    out += line_at(x.at(v), y.from, x.at(v), y.from + 4, "axis");
    out += text_at(x.at(v), y.from + 16, "middle", tick_text(v));
  }
  out += line_at(x.from, y.from, x.to, y.from, "axis");
  out += text_at((x.from + x.to) / 2, y.from + 31, "middle", chart.x_title, " class=\"unit\"");
  out += text_at(2, top + 2, "start", chart.y_title, " class=\"unit\"");
  return out;
}

std::string path_of(const std::vector<std::pair<double, double>>& points, bool closed) {
  std::string out;
  for (const auto& [x, y] : points) out += fmt::format("{}{:.1f},{:.1f}", out.empty() ? "M" : "L", x, y);
  return out + (closed ? "Z" : "");
}

std::string draw_series(const Series& s, std::size_t number, const Axis& x, const Axis& y) {
  std::string out;
  std::vector<std::pair<double, double>> line, band;
  for (std::size_t i = 0; i < s.x.size(); ++i) line.emplace_back(x.at(s.x[i]), y.at(s.y[i]));
  if (!s.low.empty()) {
    for (std::size_t i = 0; i < s.x.size(); ++i) band.emplace_back(x.at(s.x[i]), y.at(s.high[i]));
    for (std::size_t i = s.x.size(); i-- > 0;) band.emplace_back(x.at(s.x[i]), y.at(s.low[i]));
    out += fmt::format("<path d=\"{}\" class=\"band c{}\"/>\n", path_of(band, true), number);
  }
  if (!s.points_only)
    out += fmt::format("<path d=\"{}\" class=\"curve s{}{}\"/>\n", path_of(line, false), number, s.dashed ? " dashed" : "");
  if (line.size() <= 24 && !s.dashed)
    for (const auto& [px, py] : line) out += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" class=\"c{}\"/>\n", px, py, number);
  return out;
}

struct Drawn {
  std::string body;
  double height = 0;
};

/// Names with their colour, in rows; `below` is where they start.
std::string legend(const std::vector<std::string>& names, double below, double* height) {
  std::string out;
  double x = left - 34, y = below;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const double room = 22 + 5.9 * static_cast<double>(display_width(names[i]));
    if (x + room > width && x > left - 34) x = left - 34, y += legend_row;
    out += rectangle(x, y - 9, 10, 10, fmt::format("c{}", i));
    out += text_at(x + 14, y, "start", names[i]);
    x += room;
  }
  *height = names.empty() ? 0 : y - below + legend_row;
  return out;
}

Drawn lines_chart(const Chart& chart) {
  constexpr double bottom = 200;
  std::vector<double> xs, ys;
  for (const Series& s : chart.series) {
    xs.insert(xs.end(), s.x.begin(), s.x.end());
    for (const auto* v : {&s.y, &s.low, &s.high}) ys.insert(ys.end(), v->begin(), v->end());
  }
  if (chart.line) ys.push_back(*chart.line);
  Axis x = axis_over(xs, left, width - right, chart.x_log, false), y = axis_over(ys, bottom, top + 12, chart.y_log, chart.y_zero);
  Drawn out;
  out.body = frame(x, y, chart);
  for (std::size_t i = 0; i < chart.series.size(); ++i) out.body += draw_series(chart.series[i], i, x, y);
  if (chart.line) {
    out.body += line_at(x.from, y.at(*chart.line), x.to, y.at(*chart.line), "limit");
    out.body += text_at(x.to, y.at(*chart.line) - 4, "end", chart.line_name);
  }
  std::vector<std::string> names;
  if (chart.series.size() > 1)
    for (const Series& s : chart.series) names.push_back(s.name);
  double more = 0;
  out.body += legend(names, bottom + 50, &more);
  out.height = bottom + 38 + more;
  return out;
}

/// Bars below each other, label above each: readable on a telephone.
Drawn waterfall_chart(const Chart& chart) {
  std::vector<double> ends{0};
  double sum = 0;
  for (const Bar& bar : chart.bars) ends.push_back(sum += bar.parts[0]);
  const Axis x = axis_over(ends, 4, width - right, false, true);
  Drawn out;
  double at = 0, y = 14;
  for (const Bar& bar : chart.bars) {
    const double from = x.at(at), to = x.at(at + bar.parts[0]);
    out.body += text_at(4, y, "start", cut(bar.label, 210)) + text_at(width - 4, y, "end", bar.shown);
    out.body += rectangle(std::min(from, to), y + 4, std::abs(to - from), 10, bar.parts[0] < 0 ? "c1" : "c0");
    at += bar.parts[0];
    y += 31;
  }
  out.body += text_at(4, y, "start", "total", " class=\"strong\"") + text_at(width - 4, y, "end", chart.line_name, " class=\"strong\"");
  out.body += rectangle(x.at(0), y + 4, x.at(at) - x.at(0), 10, "c2");
  out.height = y + 22;
  return out;
}

Drawn tornado_chart(const Chart& chart) {
  std::vector<double> ends;
  for (const Bar& bar : chart.bars) ends.insert(ends.end(), bar.parts.begin(), bar.parts.end());
  ends.push_back(chart.line.value_or(0));
  const Axis x = axis_over(ends, 8, width - 8, false, false);
  const double base = x.at(chart.line.value_or(0));
  Drawn out;
  double y = 14;
  for (const Bar& bar : chart.bars) {
    out.body += text_at(4, y, "start", cut(bar.label, 200)) + text_at(width - 4, y, "end", bar.shown);
    for (std::size_t i = 0; i < bar.parts.size(); ++i) {
      const double end = x.at(bar.parts[i]);
      out.body += rectangle(std::min(base, end), y + 4, std::abs(end - base), 10, i == 0 ? "c0" : "c1");
    }
    out.body += line_at(base, y + 2, base, y + 16, "axis");
    y += 31;
  }
  out.body += text_at(std::clamp(base, 40.0, width - 40.0), y + 4, "middle", chart.line_name);
  double more = 0;
  out.body += legend(chart.parts, y + 22, &more);
  out.height = y + 16 + more;
  return out;
}

Drawn stacks_chart(const Chart& chart) {
  std::vector<double> ends{0};
  for (const Bar& bar : chart.bars) {
    double sum = 0;
    for (const double part : bar.parts) sum += part;
    ends.push_back(sum);
  }
  if (chart.line) ends.push_back(*chart.line);
  const Axis x = axis_over(ends, 4, width - right, false, true);
  Drawn out;
  double y = 14;
  for (const Bar& bar : chart.bars) {
    out.body += text_at(4, y, "start", cut(bar.label, 210)) + text_at(width - 4, y, "end", bar.shown);
    double sum = 0;
    for (std::size_t i = 0; i < bar.parts.size(); ++i) {
      if (bar.parts[i] <= 0) continue;
      out.body += rectangle(x.at(sum), y + 4, x.at(sum + bar.parts[i]) - x.at(sum), 12, fmt::format("c{}", i));
      sum += bar.parts[i];
    }
    if (chart.line) out.body += line_at(x.at(*chart.line), y + 2, x.at(*chart.line), y + 18, "limit");
    y += 33;
  }
  if (chart.line) {
    out.body += text_at(std::min(x.at(*chart.line), width - 4), y + 4, "end", chart.line_name);
    y += 16;
  }
  double more = 0;
  out.body += legend(chart.parts, y + 8, &more);
  out.height = y + 2 + more;
  return out;
}

}  // namespace

std::vector<double> ticks(double low, double high, int count, bool logarithmic) {
  std::vector<double> out;
  if (logarithmic) {
    std::vector<double> all;
    for (int power = static_cast<int>(std::floor(std::log10(low))); power <= static_cast<int>(std::ceil(std::log10(high))); ++power)
      for (const double digit : {1.0, 2.0, 5.0}) {
        const double v = digit * std::pow(10.0, power);
        if (v >= low * (1 - 1e-9) && v <= high * (1 + 1e-9)) all.push_back(v);
      }
    const std::size_t every = std::max<std::size_t>(1, all.size() / static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < all.size(); i += every) out.push_back(all[i]);
    return out;
  }
  const double raw = (high - low) / count, unit = std::pow(10.0, std::floor(std::log10(raw)));
  const double step = unit * (raw / unit > 5 ? 10 : raw / unit > 2 ? 5 : raw / unit > 1 ? 2 : 1);
  for (double v = std::ceil(low / step - 1e-9) * step; v <= high + 1e-9 * step; v += step) out.push_back(std::abs(v) < 1e-9 * step ? 0 : v);
  return out;
}

std::string tick_text(double value) {
  for (const auto& [name, size] : {std::pair{"T", 1e12}, {"B", 1e9}, {"M", 1e6}, {"k", 1e3}})
    if (std::abs(value) >= size) return fmt::format("{:.3g}{}", value / size, name);
  return fmt::format("{:.3g}", value);
}

std::string svg_chart(const Chart& chart, int number) {
  const Drawn drawn = chart.kind == ChartKind::lines       ? lines_chart(chart)
                      : chart.kind == ChartKind::waterfall ? waterfall_chart(chart)
                      : chart.kind == ChartKind::tornado   ? tornado_chart(chart)
                                                           : stacks_chart(chart);
  return fmt::format(
      "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-labelledby=\"t{} d{}\">\n<title id=\"t{}\">{}</title>\n<desc "
      "id=\"d{}\">{}</desc>\n{}</svg>\n",
      width, drawn.height, number, number, number, xml_text(chart.title), number, xml_text(chart.alternative), drawn.body);
}

}  // namespace reckon
