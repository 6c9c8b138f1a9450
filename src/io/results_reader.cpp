// Reads the results of a plan back and checks everything that can be checked without planning again.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "base/error.hpp"
#include "base/text.hpp"
#include "io/hdf5_read.hpp"
#include "io/json.hpp"
#include "io/results_columns.hpp"
#include "io/results_contents.hpp"
#include "io/results_costs.hpp"
#include "io/results_file.hpp"
#include "io/results_json.hpp"
#include "io/sha256.hpp"

namespace reckon {
namespace {

constexpr double sum_tolerance = 1e-12;  // of a derived column against its parts: the same additions give the same bits

class Reader : private ResultsContents {
 public:
  using ResultsContents::ResultsContents;

  PlanResults results() {
    PlanResults out;
    check_format();
    read_provenance(out);
    read_inputs(out);
    read_sizes(out);
    out.candidates = numbered_points("/candidates");
    out.nearest_misses = numbered_points("/nearest_misses");
    read_assumptions(out);
    read_answer(out);
    check_agreement(out);
    out.costs = read_costs(contents_, file_);
    return out;
  }

 private:
  bool has_attribute(const std::string& name) const { return contents_.groups.at("/").contains(name); }

  /// The text of a dataset that holds one, checked against its own digest.
  std::string verbatim(const Hdf5Dataset& set) const {
    if (set.texts().size() != 1) fail(set.path, "not one text");
    const auto digest = set.attributes.find("sha256");
    if (digest == set.attributes.end() || digest->second != Hdf5Value(sha256(set.texts()[0])))
      fail(set.path, "the text is not the one that its sha256 belongs to");
    return set.texts()[0];
  }

  std::int64_t format() const { return attribute<std::int64_t>("/", "reckon_format"); }
  void check_format() const {
    const std::int64_t format = this->format();
    if (format < 1 || format > results_format)
      throw ConfigError(file_, "/", fmt::format("results format {}; this program reads 1 to {}", format, results_format),
                        "use a newer reckon");
    if (attribute<std::string>("/", "software") != "reckon") fail("/", "not a results file of reckon");
  }

  void read_provenance(PlanResults& out) const {
    PlanProvenance& p = out.provenance;
    p.version = attribute<std::string>("/", "softwareVersion");
    p.git_commit = attribute<std::string>("/", "git_commit");
    p.command_line = attribute<std::string>("/", "command_line");
    p.seed = attribute<std::int64_t>("/", "seed");
    p.uuid = attribute<std::string>("/", "uuid");
    if (has_attribute("date")) p.date = attribute<std::string>("/", "date");
  }

  void read_inputs(PlanResults& out) const {
    const std::string place = file_ + " /inputs/question";
    out.question = read_question(parse_json(verbatim(dataset("/inputs/question")), place).root());
    for (const JsonNode& item : parse_json(attribute<std::string>("/", "inputs"), file_ + " attribute inputs").root().items()) {
      InputText input{item.at("name").string(), item.at("path").string(), "", item.at("sha256").string()};
      const Hdf5Dataset& set = dataset("/inputs/" + input.name);
      input.text = verbatim(set);
      if (sha256(input.text) != input.sha256) fail(set.path, "the text is not the one that the attribute inputs names");
      out.inputs.push_back(std::move(input));
    }
  }

  std::int64_t flag(const std::string& path, std::int64_t value, std::int64_t most) const {
    if (value < 0 || value > most) fail(path, fmt::format("the flag {} has no meaning", value));
    return value;
  }

  void read_sizes(PlanResults& out) const {
    const std::vector<std::int64_t>& devices = dataset("/plans/devices").integers();
    const std::size_t n = devices.size();
    const auto status = whole("/plans/status", n), front = whole("/plans/on_front", n), considered = whole("/plans/considered", n),
               too_large = whole("/plans/too_large", n);
    const auto remarks = texts("/plans/remark", n);
    for (std::size_t i = 0; i < n; ++i) {
      if (devices[i] < 1 || (i > 0 && devices[i] <= devices[i - 1])) fail("/plans/devices", "not positive and ascending");
      if (too_large[i] < 0 || too_large[i] > considered[i]) fail("/plans/too_large", "not between 0 and /plans/considered");
      out.sizes.push_back({devices[i], static_cast<SizeStatus>(flag("/plans/status", status[i], 2)), considered[i], too_large[i],
                           {}, flag("/plans/on_front", front[i], 1) == 1, remarks[i]});
    }
    if (format() >= 2) read_counts(out);
  }

  void read_counts(PlanResults& out) const {
    for (const CountColumn& column : count_columns()) {
      const std::vector<std::int64_t> values = whole(std::string("/plans/") + column.name, out.sizes.size());
      for (std::size_t i = 0; i < values.size(); ++i) out.sizes[i].counts.*column.member = values[i];
    }
    for (PlanSize& size : out.sizes) {
      SearchCounts& c = size.counts;
      c.space = size.considered;
      if (c.evaluated < 0 || c.cut_by_memory < 0 || c.cut_by_compute < 0 || c.cut_by_pipeline < 0 ||
          c.evaluated + c.cut_by_memory + c.cut_by_compute + c.cut_by_pipeline != c.space)
        fail("/plans/evaluated", "the parts do not sum to /plans/considered");
    }
  }

  /// The points of a group; a row without a plan is left out and its number is not in `rows`.
  std::vector<PlanPoint> points(const std::string& group, std::size_t count, std::vector<std::size_t>* rows,
                                const std::vector<std::int64_t>* devices) const {
    std::vector<PlanPoint> all(count);
    std::vector<bool> present(count, true);
    for (const WholeColumn& c : whole_columns()) {
      if (c.since > format()) continue;
      const std::string path = group + "/" + c.name;
      const std::vector<std::int64_t> values = c.name == "devices" && devices ? *devices : whole(path, count);
      for (std::size_t i = 0; i < count; ++i) {
        const bool enumerated = !c.meanings.empty() && !c.mask;
        const bool none = enumerated ? values[i] == static_cast<std::int64_t>(c.meanings.size()) : values[i] == -1;
        if (none)
          present[i] = false;
        else if (enumerated)
          flag(path, values[i], static_cast<std::int64_t>(c.meanings.size()) - 1);
        else if (values[i] < 0)
          fail(path, "a negative number");
        c.set(all[i], none ? 0 : values[i]);
      }
    }
    for (const RealColumn& c : real_columns())
      if (c.set && c.since <= format()) read_real(group, c, all, present);
    check_derived(group, all, present);
    std::vector<PlanPoint> out;
    for (std::size_t i = 0; i < count; ++i) {
      if (!present[i]) continue;
      out.push_back(all[i]);
      if (rows != nullptr) rows->push_back(i);
    }
    return out;
  }

  void read_real(const std::string& group, const RealColumn& column, std::vector<PlanPoint>& all, const std::vector<bool>& present) const {
    const std::string path = group + "/" + column.name;
    const std::vector<double>& values = dataset(path).doubles();
    sized(path, values, all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!present[i]) continue;
      const double value = column.missing_is_infinite && std::isnan(values[i]) ? INFINITY : values[i];
      if (std::isnan(value) || value < 0) fail(path, "a number that is missing or negative");
      column.set(all[i], value);
    }
  }

  /// The short text of the strategy and the derived columns agree with what they are made of.
  void check_derived(const std::string& group, const std::vector<PlanPoint>& all, const std::vector<bool>& present) const {
    const std::vector<std::string> strategies = texts(group + "/strategy", all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!present[i]) continue;
      if (format() >= 2 && describe(all[i].strategy) != strategies[i]) fail(group + "/strategy", "not the strategy of the columns beside it");
      if (all[i].strategy.num_devices() != all[i].devices) fail(group + "/devices", "not the product of the parallel degrees");
    }
    for (const RealColumn& c : real_columns()) {
      if (c.set) continue;
      const std::string path = group + "/" + c.name;
      const std::vector<double>& values = dataset(path).doubles();
      sized(path, values, all.size());
      for (std::size_t i = 0; i < all.size(); ++i) {
        const double derived = c.get(all[i]);
        if (present[i] && !(std::abs(values[i] - derived) <= sum_tolerance * std::abs(derived)))
          fail(path, fmt::format("{} is not {}, which its parts make", values[i], derived));
      }
    }
  }

  std::vector<PlanPoint> numbered_points(const std::string& group) const {
    return points(group, dataset(group + "/strategy").texts().size(), nullptr, nullptr);
  }

  void read_assumptions(PlanResults& out) const {
    const std::size_t n = dataset("/assumptions/name").texts().size();
    const auto name = texts("/assumptions/name", n), value = texts("/assumptions/value", n), basis = texts("/assumptions/basis", n),
               source = texts("/assumptions/source", n), date = texts("/assumptions/date", n);
    for (std::size_t i = 0; i < n; ++i) out.assumptions.push_back({name[i], value[i], basis[i], source[i], date[i]});
  }

  void read_answer(PlanResults& out) const {
    out.answer.kind = attribute<std::string>("/best", "kind");
    out.answer.sentence = attribute<std::string>("/best", "sentence");
    const auto details = attribute<std::string>("/best", "details");
    if (!details.empty())
      for (const std::string_view line : split(details, '\n')) out.answer.details.emplace_back(line);
    const std::vector<PlanPoint> best = numbered_points("/best");
    if (best.size() > 1) fail("/best", "more than one plan");
    if (!best.empty()) out.answer.devices = best[0].devices;
    if (!best.empty() && (out.best_of(best[0].devices) == nullptr || pack({best[0]}) != pack({*out.best_of(best[0].devices)})))
      fail("/best", "not the first candidate of its size");
  }

  /// /plans repeats the first candidate of each size.
  void check_agreement(const PlanResults& out) const {
    std::vector<std::int64_t> devices;
    for (const PlanSize& size : out.sizes) devices.push_back(size.devices);
    std::vector<std::size_t> rows;
    const std::vector<PlanPoint> plans = points("/plans", devices.size(), &rows, &devices);
    std::size_t next = 0;
    for (std::size_t i = 0; i < out.sizes.size(); ++i) {
      const bool has_plan = next < rows.size() && rows[next] == i;
      if (has_plan != (out.sizes[i].status == SizeStatus::fits)) fail("/plans/status", "does not say whether there is a plan");
      if (!has_plan) continue;
      const PlanPoint* best = out.best_of(devices[i]);
      if (best == nullptr || pack({*best}) != pack({plans[next]}))
        fail("/plans", fmt::format("the plan for {} devices is not the first candidate", devices[i]));
      ++next;
    }
  }
};

}  // namespace

PlanResults read_results(const std::filesystem::path& path) {
  const Hdf5Contents contents = read_hdf5(path);
  return Reader(contents, path.string()).results();
}

}  // namespace reckon
