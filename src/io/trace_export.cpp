// Chrome / Perfetto trace and memory curve.
// SPDX-License-Identifier: Apache-2.0
#include "io/trace_export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace reckon {
namespace {

constexpr double micro = 1e6;

class Writer {
 public:
  Writer(const StepPlan& plan, const StepSimulation& simulation, std::size_t most) : plan_(plan), simulation_(simulation), most_(most) {}

  Trace write() {
    count();
    fmt::format_to(at(), "{{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
    for (std::size_t i = 0; i < simulation_.timeline.stages.size(); ++i) stage(i);
    text_.resize(text_.size() - 2);  // the last comma
    fmt::format_to(at(), "\n]}}\n");
    return {fmt::to_string(text_), events_, pieces_};
  }

 private:
  std::back_insert_iterator<fmt::memory_buffer> at() { return std::back_inserter(text_); }

  /// Decides what fits into the limit.
  void count() {
    std::size_t passes = 0, parts = 0;
    for (std::size_t i = 0; i < simulation_.timeline.stages.size(); ++i)
      for (const TimedAction& a : simulation_.timeline.stages[i]) {
        ++passes;
        for (const Piece& p : plan_.pieces(i, a.action)) parts += p.stream == Stream::compute ? 1 : 2;
      }
    const std::size_t others = simulation_.timeline.stages.size() * 12;
    pieces_ = 4 * passes + parts + others <= most_;
    if (!pieces_ && 4 * passes + others > most_) {
      const std::size_t share = most_ > others ? (most_ - others) / 4 : 1;
      kept_ = std::max<std::size_t>(1, share / std::max<std::size_t>(1, simulation_.timeline.stages.size()));
    }
  }

  void slice(std::size_t pid, Stream stream, const std::string& name, double start, double length, const char* category) {
    if (length <= 0) return;
    fmt::format_to(at(), "{{\"name\":\"{}\",\"cat\":\"{}\",\"ph\":\"X\",\"pid\":{},\"tid\":{},\"ts\":{:.4f},\"dur\":{:.4f}}},\n", name,
                   category, pid, static_cast<int>(stream), start * micro, length * micro);
    ++events_;
  }
  void named(std::size_t pid, int tid, const char* what, const std::string& name) {
    fmt::format_to(at(), "{{\"name\":\"{}\",\"ph\":\"M\",\"pid\":{},\"tid\":{},\"args\":{{\"name\":\"{}\"}}}},\n", what, pid, tid, name);
    ++events_;
  }

  void stage(std::size_t i) {
    named(i, 0, "process_name", fmt::format("stage {}", i));
    for (int s = 0; s < num_streams; ++s) named(i, s, "thread_name", name_of(static_cast<Stream>(s)));
    const std::vector<TimedAction>& actions = simulation_.timeline.stages[i];
    const std::size_t last = std::min(actions.size(), kept_);
    for (std::size_t k = 0; k < last; ++k) {
      double start = actions[k].start;
      // two passes that run together are drawn one after the other: their compute shares the device
      if (k > 0 && actions[k - 1].action.with_next) start += seconds_of(plan_.pieces(i, actions[k - 1].action)) + blocked();
      pass(i, actions[k].action, start);
    }
    finish(i);
    for (std::size_t k = 0; k < std::min(simulation_.memory[i].size(), 2 * kept_); ++k) {
      const MemoryPoint& p = simulation_.memory[i][k];
      fmt::format_to(at(), "{{\"name\":\"memory GiB\",\"ph\":\"C\",\"pid\":{},\"ts\":{:.4f},\"args\":{{\"GiB\":{:.4f}}}}},\n", i,
                     p.time * micro, p.bytes / gibibytes.base());
      ++events_;
    }
  }

  double blocked() const { return plan_.times.transfer_blocks ? plan_.times.transfer : 0.0; }

  void pass(std::size_t i, const Action& a, double start) {
    static const char* const kinds[] = {"F", "B", "W"};
    const std::vector<Piece>& pieces = plan_.pieces(i, a);
    const double length = seconds_of(pieces);
    const std::string name =
        fmt::format("{} {}{}", kinds[static_cast<int>(a.kind)], a.micro_batch, plan_.shape.chunks > 1 ? fmt::format(".{}", a.chunk) : "");
    slice(i, Stream::compute, name, start, length, "pass");
    const std::int32_t place = plan_.shape.place_of(static_cast<std::int32_t>(i), a.chunk);
    const bool sends = a.kind == ActionKind::forward ? place + 1 < plan_.shape.places() : a.kind == ActionKind::backward && place > 0;
    if (sends) slice(i, Stream::pipeline, "send " + name, start + length, plan_.times.transfer, "message");
    if (!pieces_) return;
    double t = start;
    for (const Piece& p : pieces) {
      const std::string layer = p.layer == -1   ? "embedding"
                                : p.layer == -2 ? "head"
                                : p.layer == -3 ? "activations"
                                                : fmt::format("layer {}", p.layer);
      slice(i, Stream::compute, layer, t, p.before + p.beside, "layer");
      if (p.stream != Stream::compute) slice(i, p.stream, layer, t + p.before, p.message, "message");
      t += p.seconds();
    }
  }

  void finish(std::size_t i) {
    const StageFinish& f = plan_.finish[i];
    const double reduced =
        std::max(simulation_.timeline.makespan, *std::max_element(simulation_.reduce_end.begin(), simulation_.reduce_end.end()));
    const double begin = std::max(0.0, simulation_.reduce_end[i] - f.reduce);
    slice(i, Stream::data, "reduce gradients", begin, simulation_.reduce_end[i] - begin, "message");
    slice(i, Stream::compute, "optimizer", reduced, f.optimizer, "optimizer");
    slice(i, Stream::data, "gather parameters", reduced + simulation_.seconds.optimizer, f.gather, "message");
  }

  const StepPlan& plan_;
  const StepSimulation& simulation_;
  std::size_t most_, events_ = 0, kept_ = ~std::size_t{0} / 4;
  bool pieces_ = true;
  fmt::memory_buffer text_;
};

}  // namespace

Trace trace_json(const StepPlan& plan, const StepSimulation& simulation, std::size_t most_events) {
  return Writer(plan, simulation, most_events).write();
}

std::string links_csv(const Contention& contention) {
  std::string out = "link,bytes,share\n";
  for (const LinkLoad& l : contention.loads) fmt::format_to(std::back_inserter(out), "\"{}\",{:.0f},{:.6f}\n", l.link, l.bytes, l.share);
  return out;
}

std::string memory_csv(const StepSimulation& simulation) {
  fmt::memory_buffer out;
  fmt::format_to(std::back_inserter(out), "stage,time_s,bytes\n");
  for (std::size_t i = 0; i < simulation.memory.size(); ++i)
    for (const MemoryPoint& p : simulation.memory[i]) fmt::format_to(std::back_inserter(out), "{},{:.9g},{:.0f}\n", i, p.time, p.bytes);
  return fmt::to_string(out);
}

}  // namespace reckon
