// SPDX-License-Identifier: Apache-2.0
#include "plan/block_cost.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "cost/data_parallel.hpp"

namespace reckon {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Eight doubles; the compiler splits them into what the processor has.
using Lanes = double __attribute__((vector_size(64)));
using Marks = long long __attribute__((vector_size(64)));

struct Columns {
  std::size_t stride, limits;
  const double* time;    ///< of this work choice
  const double* memory;  ///< by limit
};

/// One row against all columns: (row + column) * jitter, and the fullest of all that is limited.
#if defined(__x86_64__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
void evaluate_row(double row_time, const double* row_memory, const Columns& c, double jitter, double capacity, BlockCost::Row* out) {
  Lanes best = {};
  best += infinity;
  Marks fitting = {};
  const Lanes never = best;
  for (std::size_t at = 0; at < c.stride; at += BlockCost::lanes) {
    Lanes time, memory;
    std::memcpy(&time, c.time + at, sizeof time);
    std::memcpy(&memory, c.memory + at, sizeof memory);
    time = (time + row_time) * jitter;
    memory += row_memory[0];
    for (std::size_t r = 1; r < c.limits; ++r) {
      Lanes other;
      std::memcpy(&other, c.memory + r * c.stride + at, sizeof other);
      other += row_memory[r];
      memory = other > memory ? other : memory;
    }
    const Marks fits = memory <= capacity;
    fitting -= fits;
    time = fits ? time : never;
    best = time < best ? time : best;
  }
  out->best_time = infinity;
  out->fitting = 0;
  for (std::size_t k = 0; k < BlockCost::lanes; ++k) {
    out->best_time = std::min(out->best_time, best[k]);
    out->fitting += fitting[k];
  }
}

bool offloads(const StrategyBlock& block) {
  return std::any_of(block.work.begin(), block.work.end(), [](const WorkChoice& w) { return w.offload_activations; }) ||
         std::any_of(block.state.begin(), block.state.end(), [](const StateChoice& s) { return s.offload_optimizer; });
}

Job job_of(const Question& question, const StrategyBlock& block, std::size_t w, std::size_t p, std::size_t c) {
  return question.job(block.at(w, p, c));
}

}  // namespace

SharedStages shared_stages(const Question& question, const LoweredModel& model, const StrategyBlock& block) {
  SharedStages out;
  out.runs = stage_runs(model, block.base);
  out.placements = placements_of(block.base, *question.cluster);
  std::vector<Stage> stages;
  for (const StageRun& run : out.runs) stages.push_back(run.stage);
  for (std::size_t c = 0; c < block.state.size(); ++c) {
    const Job job = job_of(question, block, 0, 0, c);
    std::vector<MemoryFootprint>& by_run = out.memory.emplace_back();
    std::vector<Bytes>& host = out.host.emplace_back();
    for (std::size_t r = 0; r < stages.size(); ++r) {
      by_run.push_back(state_footprint(job, model, stages[r]));
      host.push_back(host_state(job, model, stages[r]));
      if (c == 0)
        out.least_state.push_back(by_run.back());
      else if (by_run.back().total() < out.least_state[r].total())
        out.least_state[r] = by_run.back();
    }
    out.optimizer.push_back(optimizer_time(job, model, stages));
    if (c == 0 || out.optimizer.back() < out.least_optimizer) out.least_optimizer = out.optimizer.back();
  }
  return out;
}

void add_messages(SharedStages& shared, const Question& question, const LoweredModel& model, const StrategyBlock& block) {
  for (std::size_t c = 0; c < block.state.size(); ++c) {
    const Job job = job_of(question, block, 0, 0, c);
    const Placements placements = placements_of(job.strategy, *question.cluster);
    shared.state.push_back(state_terms(job, model, placements, shared.runs));
  }
}

void BlockCost::tabulate(const Question& question, const PricedModel& priced, const StrategyBlock& block, const SharedStages& shared) {
  works_ = block.work.size();
  pipelines_ = block.pipeline.size();
  states_ = block.state.size();
  stride_ = (states_ + lanes - 1) / lanes * lanes;
  runs_ = shared.runs.size();
  capacity_ = question.usable_memory();
  host_unit_ = capacity_ / host_memory_share(question.cluster->node);
  limits_ = host_unit_ > 0 && offloads(block) ? 2 * runs_ : runs_;
  jitter_ = 1.0 + jitter_share(question.job(block.base));
  work_rows(question, priced, block, shared);
  state_rows(block, shared);
  bounds(shared);
}

void BlockCost::state_rows(const StrategyBlock& block, const SharedStages& shared) {
  state_memory_.assign(limits_ * stride_, infinity);
  for (std::size_t r = 0; r < runs_; ++r)
    for (std::size_t c = 0; c < block.state.size(); ++c) {
      state_memory_[r * stride_ + c] = shared.memory[c][r].total().base();
      if (limits_ > runs_) state_memory_[(runs_ + r) * stride_ + c] = shared.host[c][r].base() * host_unit_;
    }
}

void BlockCost::work_rows(const Question& question, const PricedModel& priced, const StrategyBlock& block, const SharedStages& shared) {
  const std::int64_t micro_batches = block.base.num_micro_batches();
  const double m = static_cast<double>(micro_batches);
  std::vector<PipelineTerms> pipelines;
  for (std::size_t p = 0; p < pipelines_; ++p)
    pipelines.push_back(pipeline_terms(job_of(question, block, 0, p, 0), priced.lowered, shared.placements, shared.runs));
  work_.clear();
  row_time_.resize(works_ * pipelines_);
  row_memory_.resize(works_ * pipelines_ * limits_);
  for (std::size_t w = 0; w < works_; ++w) {
    work_.push_back(work_terms(job_of(question, block, w, 0, 0), priced, shared.runs));
    const WorkTerms& work = work_.back();
    const Seconds busy = (work.pipeline.busiest.total() + work.offload) * m;
    for (std::size_t p = 0; p < pipelines_; ++p) {
      const std::size_t row = w * pipelines_ + p;
      const PipelineChoice& choice = block.pipeline[p];
      row_time_[row] = (busy + pipeline_bubble(choice.schedule, work.pipeline, choice.virtual_stages, micro_batches) + pipelines[p].boundary).base();
      double* limited = row_memory_.data() + row * limits_;
      for (std::size_t r = 0; r < runs_; ++r) {
        limited[r] = activation_memory(work.memory[r], pipelines[p].in_flight[r]).base();
        if (limits_ > runs_) limited[runs_ + r] = work.memory[r].offloaded.base() * pipelines[p].in_flight[r] * host_unit_;
      }
    }
  }
}

void BlockCost::bounds(const SharedStages& shared) {
  least_time_ = Seconds{(*std::min_element(row_time_.begin(), row_time_.end()) + shared.least_optimizer.base()) * jitter_};
  least_memory_ = Bytes{};
  for (std::size_t r = 0; r < runs_; ++r) {
    double least = infinity;
    for (std::size_t row = 0; row < num_rows(); ++row) least = std::min(least, row_memory_[row * limits_ + r]);
    least_memory_ = max(least_memory_, Bytes{least} + shared.least_state[r].total());
  }
}

void BlockCost::add_state(const Question& question, const StrategyBlock& block, const SharedStages& shared) {
  state_time_.assign(works_ * stride_, infinity);
  for (std::size_t w = 0; w < works_; ++w)
    for (std::size_t c = 0; c < states_; ++c) {
      const StateTerms& state = shared.state[c];
      const Seconds data = exposed_data_time(*question.stack, state, work_[w].time, block.base.num_micro_batches());
      state_time_[w * stride_ + c] = (data + state.optimizer).base();
    }
}

void BlockCost::evaluate(std::vector<Row>& rows) const {
  rows.resize(num_rows());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const Columns columns{stride_, limits_, state_time_.data() + row / pipelines_ * stride_, state_memory_.data()};
    evaluate_row(row_time_[row], row_memory_.data() + row * limits_, columns, jitter_, capacity_.base(), &rows[row]);
  }
}

double BlockCost::seconds(std::size_t row, std::size_t state) const {
  return (state_time_[row / pipelines_ * stride_ + state] + row_time_[row]) * jitter_;
}

double BlockCost::bytes(std::size_t row, std::size_t state) const {
  double out = state_memory_[state] + row_memory_[row * limits_];
  for (std::size_t r = 1; r < runs_; ++r) out = std::max(out, state_memory_[r * stride_ + state] + row_memory_[row * limits_ + r]);
  return out;
}

bool BlockCost::host_fits(std::size_t row, std::size_t state) const {
  for (std::size_t r = runs_; r < limits_; ++r)
    if (state_memory_[r * stride_ + state] + row_memory_[row * limits_ + r] > capacity_.base()) return false;
  return true;
}

}  // namespace reckon
