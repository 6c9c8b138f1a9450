// SPDX-License-Identifier: Apache-2.0
#include "plan/search.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>

#include "plan/block_cost.hpp"

namespace reckon {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Bounds are compared after rounding: what is cut is slower by more than the sums can err.
constexpr double rounding = 1.0 - 1e-12;

constexpr double beyond_host = 1e30;  // bytes: a nearest miss that overflows the host as well comes last

std::int64_t modules_of(const Strategy& s) {
  std::int64_t bits = 0;
  for (const RecomputeModule m : s.recompute_modules) bits |= std::int64_t{1} << static_cast<int>(m);
  return bits;
}

/// Experts reach beyond the tensor x context ranks: with stages in between, their distance depends on the pipeline.
std::int64_t pipeline_between(const Strategy& s) {
  const bool far = s.order == GroupOrder::pipeline_inside && s.expert_parallel * s.expert_tensor() > s.tensor_parallel * s.context_parallel;
  return far ? s.pipeline_parallel : 1;
}

/// The settings that price_model reads.
using PriceKey = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, Recompute, Precision, bool, bool>;
PriceKey price_key(const Strategy& s) {
  return {s.tensor_parallel, s.context_parallel, s.expert_parallel, s.expert_tensor(), s.micro_batch_size,
          pipeline_between(s), modules_of(s), s.recompute, s.precision, s.sequence_parallel, s.num_micro_batches() > 1};
}

/// The settings that stages, their weights, their messages and their state choices depend on at one size.
using StageKey = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, GroupOrder, Precision, bool>;
StageKey stage_key(const Strategy& s) {
  return {s.tensor_parallel, s.context_parallel, s.expert_parallel, s.expert_tensor(), s.pipeline_parallel, s.first_stage_layers, s.last_stage_layers, s.order, s.precision,
          s.num_micro_batches() > 1};
}

struct Priced {
  PricedModel model;
  Seconds all, kept;  ///< of a micro-batch through all layers, with the recompute policy and without
};

Priced priced_of(const Job& job) {
  Priced out{price_model(job), {}, {}};
  out.all = out.kept = out.model.before.total() + out.model.after.total();
  for (const std::uint16_t kind : out.model.lowered.order) {
    out.all += out.model.kinds[kind].total();
    out.kept += out.model.kinds_kept[kind].total();
  }
  return out;
}

/// Layers priced once for all blocks and sizes that share them, as many as memory allows.
class PriceCache {
 public:
  explicit PriceCache(const Question& question) : question_(question) {}

  /// Stays valid until the next forget().
  const Priced* of(const Strategy& s) {
    const auto [at, fresh] = priced_.try_emplace(price_key(s));
    if (fresh) at->second = priced_of(question_.job(s));
    return &at->second;
  }
  std::size_t size() const { return priced_.size(); }
  void forget() { priced_.clear(); }

 private:
  const Question& question_;
  std::map<PriceKey, Priced> priced_;
};

struct Entry {
  StrategyBlock block;
  std::int64_t first = 0;  ///< ordinal of its first strategy
  const Priced* priced = nullptr;
  double bound = 0;        ///< seconds
};

/// The `keep` best by key, then by ordinal.
class Shortlist {
 public:
  struct Item {
    double key;
    std::int64_t ordinal;
    Strategy strategy;
  };
  explicit Shortlist(std::size_t keep) : keep_(keep) {}

  double worst() const { return keep_ == 0 ? -infinity : items_.size() < keep_ ? infinity : items_.back().key; }
  template <class MakeStrategy>
  void offer(double key, std::int64_t ordinal, const MakeStrategy& strategy) {
    const auto before = [&](const Item& item) { return item.key < key || (item.key == key && item.ordinal < ordinal); };
    const auto at = std::partition_point(items_.begin(), items_.end(), before);
    if (keep_ == 0 || (items_.size() == keep_ && at == items_.end())) return;
    items_.insert(at, Item{key, ordinal, strategy()});
    if (items_.size() > keep_) items_.pop_back();
  }
  const std::vector<Item>& items() const { return items_; }

 private:
  std::size_t keep_;
  std::vector<Item> items_;
};

}  // namespace

struct Searcher::Cache : PriceCache {
  using PriceCache::PriceCache;
};

namespace {

/// One size, from its blocks to its result.
class SizeSearch {
 public:
  SizeSearch(const Question& question, PriceCache& prices, std::int64_t num_devices, const SearchOptions& options)
      : question_(question), prices_(prices), options_(options), capacity_(question.usable_memory()), fastest_(options.keep) {
    out_.num_devices = num_devices;
  }

  SearchResult run() {
    for_each_block(question_, out_.num_devices, [this](const StrategyBlock& block) {
      if (goes_on()) take(entry_of(block));
    });
    decide_waiting();
    collect(fastest_.items(), out_.best);
    if (out_.best.empty() && out_.counts.space > 0 && !out_.stopped && options_.keep > 0) find_nearest_miss();
    return std::move(out_);
  }

 private:
  bool goes_on() {
    if (!out_.stopped && options_.go_on && !options_.go_on()) out_.stopped = true;
    return !out_.stopped;
  }

  Entry entry_of(const StrategyBlock& block) {
    const bool many_prices = prices_.size() > options_.waiting / 8;
    if (entries_.size() >= options_.waiting || many_prices) decide_waiting();
    if (many_prices) prices_.forget();
    Entry out{block, next_ordinal_, prices_.of(block.base), 0};
    next_ordinal_ += block.size();
    return out;
  }

  void take(Entry entry) {
    out_.counts.space += entry.block.size();
    entry.bound = compute_bound(entry);
    if (too_slow(entry.bound))
      out_.counts.cut_by_compute += entry.block.size();
    else
      entries_.push_back(std::move(entry));
  }

  /// The blocks that wait, best bound first.
  void decide_waiting() {
    if (options_.prune)
      std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.bound < b.bound; });
    for (const Entry& entry : entries_) {
      if (!goes_on()) break;
      decide(entry);
    }
    entries_.clear();
    shared_.clear();
  }

  /// Compute and messages of all layers, spread evenly over the stages, for all micro-batches.
  double compute_bound(const Entry& e) const {
    const Seconds least = e.block.work.size() > 1 ? min(e.priced->all, e.priced->kept) : e.priced->all;
    const double m = static_cast<double>(e.block.base.num_micro_batches()), stages = static_cast<double>(e.block.base.pipeline_parallel);
    return (least * (m / stages * (1.0 + jitter_share(question_.job(e.block.base))))).base();
  }

  SharedStages& shared_of(const Entry& e) {
    const auto [at, fresh] = shared_.try_emplace(stage_key(e.block.base));
    if (fresh) at->second = shared_stages(question_, e.priced->model.lowered, e.block);
    return at->second;
  }

  bool too_slow(double bound) const { return options_.prune && bound * rounding > fastest_.worst(); }

  void decide(const Entry& e) {
    if (too_slow(e.bound)) {
      out_.counts.cut_by_compute += e.block.size();
      return;
    }
    SharedStages& shared = shared_of(e);
    cost_.tabulate(question_, e.priced->model, e.block, shared);
    if (options_.prune && cost_.least_memory() * rounding > capacity_) {
      out_.counts.cut_by_memory += e.block.size();
      out_.too_large += e.block.size();
      return;
    }
    if (too_slow(cost_.least_time().base())) {
      out_.counts.cut_by_pipeline += e.block.size();
      return;
    }
    if (shared.state.empty()) add_messages(shared, question_, e.priced->model.lowered, e.block);
    cost_.add_state(question_, e.block, shared);
    cost_.evaluate(rows_);
    out_.counts.evaluated += e.block.size();
    take_rows(e);
    if (options_.each) show(e);
  }

  void take_rows(const Entry& e) {
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      out_.too_large += static_cast<std::int64_t>(cost_.num_states()) - rows_[row].fitting;
      if (rows_[row].fitting == 0 || rows_[row].best_time > fastest_.worst()) continue;
      for (std::size_t c = 0; c < cost_.num_states(); ++c)
        if (fits(row, c)) offer(fastest_, cost_.seconds(row, c), e, row, c);
    }
  }

  bool fits(std::size_t row, std::size_t state) const { return cost_.bytes(row, state) <= capacity_.base() && cost_.host_fits(row, state); }

  std::int64_t ordinal(const Entry& e, std::size_t row, std::size_t state) const {
    return e.first + static_cast<std::int64_t>(row * e.block.state.size() + state);
  }
  void offer(Shortlist& list, double key, const Entry& e, std::size_t row, std::size_t state) {
    if (key > list.worst()) return;
    const std::size_t pipelines = e.block.pipeline.size();
    list.offer(key, ordinal(e, row, state), [&] { return e.block.at(row / pipelines, row % pipelines, state); });
  }

  void show(const Entry& e) {
    const std::size_t pipelines = e.block.pipeline.size();
    std::vector<double> seconds(cost_.num_states()), bytes(cost_.num_states());
    std::vector<std::uint8_t> fitting(cost_.num_states());
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      for (std::size_t c = 0; c < seconds.size(); ++c) seconds[c] = cost_.seconds(row, c), bytes[c] = cost_.bytes(row, c), fitting[c] = fits(row, c) ? 1 : 0;
      options_.each({ordinal(e, row, 0), &e.block, row / pipelines, row % pipelines, seconds.size(), seconds.data(), bytes.data(), fitting.data()});
    }
  }

  /// Memory alone, over all blocks that may hold the smallest.
  void find_nearest_miss() {
    Shortlist smallest(1);
    next_ordinal_ = 0;
    for_each_block(question_, out_.num_devices, [&](const StrategyBlock& block) {
      if (!goes_on()) return;
      const Entry e = entry_of(block);
      cost_.tabulate(question_, e.priced->model, e.block, shared_of(e));
      if ((cost_.least_memory() * rounding).base() > smallest.worst()) return;
      for (std::size_t row = 0; row < cost_.num_rows(); ++row)
        for (std::size_t c = 0; c < cost_.num_states(); ++c)
          offer(smallest, cost_.bytes(row, c) + (cost_.host_fits(row, c) ? 0.0 : beyond_host), e, row, c);
    });
    if (out_.stopped) return;
    std::vector<Candidate> found;
    collect(smallest.items(), found);
    out_.nearest_miss = std::move(found.front());
  }

  void collect(const std::vector<Shortlist::Item>& items, std::vector<Candidate>& out) const {
    for (const Shortlist::Item& item : items) out.push_back({item.strategy, step_cost(question_.job(item.strategy))});
  }

  const Question& question_;
  PriceCache& prices_;
  const SearchOptions& options_;
  Bytes capacity_;
  Shortlist fastest_;
  std::vector<Entry> entries_;  ///< not yet decided
  std::int64_t next_ordinal_ = 0;
  std::map<StageKey, SharedStages> shared_;
  BlockCost cost_;
  std::vector<BlockCost::Row> rows_;
  SearchResult out_;
};

}  // namespace

SearchCounts& SearchCounts::operator+=(const SearchCounts& b) {
  space += b.space;
  evaluated += b.evaluated;
  cut_by_memory += b.cut_by_memory;
  cut_by_compute += b.cut_by_compute;
  cut_by_pipeline += b.cut_by_pipeline;
  return *this;
}

Searcher::Searcher(const Question& question) : question_(question), cache_(std::make_unique<Cache>(question)) {}
Searcher::~Searcher() = default;

SearchResult Searcher::search(std::int64_t num_devices, const SearchOptions& options) {
  return SizeSearch(question_, *cache_, num_devices, options).run();
}

SearchResult search(const Question& question, std::int64_t num_devices, std::size_t keep) {
  return Searcher(question).search(num_devices, {.keep = keep, .prune = true, .each = {}, .go_on = {}});
}

std::vector<std::size_t> pareto_front(const std::vector<double>& first, const std::vector<double>& second) {
  std::vector<std::size_t> order(first.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return first[a] != first[b] ? first[a] < first[b] : second[a] < second[b]; });
  std::vector<std::size_t> out;
  for (const std::size_t i : order)
    if (out.empty() || second[i] < second[out.back()]) out.push_back(i);
  return out;
}

}  // namespace reckon
