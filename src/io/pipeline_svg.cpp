// The pipeline as a picture.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "io/trace_export.hpp"

namespace reckon {
namespace {

constexpr double left = 64, top = 44, row = 22, width = 1360, memory_height = 160;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return out;
}

/// A round number of seconds for about ten marks on the axis.
double mark_of(double span) {
  const double raw = span / 10, power = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double k : {1.0, 2.0, 5.0})
    if (raw <= k * power) return k * power;
  return 10 * power;
}

class Picture {
 public:
  Picture(const StepPlan& plan, const StepSimulation& simulation) : plan_(plan), s_(simulation) {
    span_ = std::max({s_.timeline.makespan, *std::max_element(s_.reduce_end.begin(), s_.reduce_end.end()), 1e-12});
    for (const double b : s_.peak_bytes) most_bytes_ = std::max(most_bytes_, b);
  }

  std::string draw(const std::string& title) {
    const double stages = static_cast<double>(s_.timeline.stages.size());
    const double memory_top = top + stages * row + 56, height = memory_top + memory_height + 40;
    add("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" font-family=\"sans-serif\" font-size=\"11\">\n",
        left + width + 20, height);
    add("<title>{0}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"8\" y=\"18\" font-size=\"14\">{0}</text>\n",
        escaped(title));
    legend();
    for (std::size_t i = 0; i < s_.timeline.stages.size(); ++i) stage(i);
    axis(top + stages * row + 4);
    memory(memory_top);
    add("</svg>\n");
    return fmt::to_string(out_);
  }

 private:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }
  double x(double t) const { return left + width * t / span_; }

  void legend() {
    const char* const names[] = {"forward", "backward", "weight gradient", "gradients reduced"};
    const char* const colours[] = {"#4f81bd", "#76a550", "#e0a030", "#b05050"};
    for (int k = 0; k < 4; ++k)
      add("<rect x=\"{0}\" y=\"26\" width=\"10\" height=\"10\" fill=\"{1}\"/><text x=\"{2}\" y=\"35\">{3}</text>\n", left + 130 * k,
          colours[k], left + 130 * k + 14, names[k]);
  }

  void stage(std::size_t i) {
    const double y = top + row * static_cast<double>(i);
    add("<text x=\"8\" y=\"{:.1f}\">stage {}</text>\n", y + 15, i);
    for (const TimedAction& a : s_.timeline.stages[i]) {
      static const char* const colours[] = {"#4f81bd", "#76a550", "#e0a030"};
      const double from = x(a.start), wide = x(a.end) - from;
      // passes that run together share the height of the row
      const bool below = a.action.kind == ActionKind::backward && &a != s_.timeline.stages[i].data() && (&a)[-1].action.with_next;
      const double high = a.action.with_next || below ? (row - 3) / 2 : row - 3;
      add("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.1f}\" fill=\"{}\"{} stroke=\"#fff\" stroke-width=\"0.3\"/>\n", from,
          y + (below ? high : 0), wide, high, colours[static_cast<int>(a.action.kind)],
          a.action.chunk % 2 == 1 ? " fill-opacity=\"0.7\"" : "");
      if (wide > 14 && high > 12)
        add("<text x=\"{:.2f}\" y=\"{:.2f}\" fill=\"#fff\" text-anchor=\"middle\" font-size=\"9\">{}</text>\n", from + wide / 2, y + 13,
            a.action.micro_batch);
    }
    const StageFinish& f = plan_.finish[i];
    if (f.reduce > 0) {
      const double begin = std::max(0.0, s_.reduce_end[i] - f.reduce);
      add("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"3\" fill=\"#b05050\"/>\n", x(begin), y + row - 4,
          x(s_.reduce_end[i]) - x(begin));
    }
  }

  void axis(double y) {
    const double mark = mark_of(span_);
    const double unit = span_ >= 1 ? 1 : span_ >= 1e-3 ? 1e-3 : 1e-6;
    const char* const name = span_ >= 1 ? "s" : span_ >= 1e-3 ? "ms" : "us";
    for (double t = 0; t <= span_ * 1.0001; t += mark)
      add("<path d=\"M{0:.1f} {1}v6\" stroke=\"#333\"/><text x=\"{0:.1f}\" y=\"{2}\" text-anchor=\"middle\">{3:.4g} {4}</text>\n", x(t), y,
          y + 18, t / unit, name);
  }

  void memory(double y0) {
    add("<text x=\"8\" y=\"{:.0f}\">memory</text><text x=\"8\" y=\"{:.0f}\">{:.3g} GiB</text>\n", y0 + memory_height, y0 + 10,
        most_bytes_ / gibibytes.base());
    add("<path d=\"M{0} {1}v{2}h{3}\" fill=\"none\" stroke=\"#999\"/>\n", left, y0, memory_height, width);
    for (std::size_t i = 0; i < s_.memory.size(); ++i) {
      const auto y = [&](double bytes) { return y0 + memory_height * (1 - bytes / most_bytes_); };
      add("<path fill=\"none\" stroke=\"hsl({:.0f},60%,45%)\" d=\"M{:.2f} {:.2f}",
          300.0 * static_cast<double>(i) / static_cast<double>(s_.memory.size()), left, y(s_.memory[i].front().bytes));
      for (const MemoryPoint& p : s_.memory[i]) add("H{:.2f}V{:.2f}", x(p.time), y(p.bytes));
      add("\"><title>stage {}: peak {:.4g} GiB</title></path>\n", i, s_.peak_bytes[i] / gibibytes.base());
    }
  }

  const StepPlan& plan_;
  const StepSimulation& s_;
  double span_ = 1, most_bytes_ = 1;
  fmt::memory_buffer out_;
};

}  // namespace

std::string pipeline_svg(const StepPlan& plan, const StepSimulation& simulation, const std::string& title) {
  return Picture(plan, simulation).draw(title);
}

}  // namespace reckon
