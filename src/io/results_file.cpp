// Writes the results of a plan as HDF5.
// SPDX-License-Identifier: Apache-2.0
#include "io/results_file.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "io/atomic_file.hpp"
#include "io/hdf5_image.hpp"
#include "io/results_columns.hpp"
#include "io/results_costs.hpp"
#include "io/results_json.hpp"

namespace reckon {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

using Points = std::vector<const PlanPoint*>;  // null = no plan

Points pointers(const std::vector<PlanPoint>& points) {
  Points out;
  for (const PlanPoint& p : points) out.push_back(&p);
  return out;
}

void write_whole(Hdf5Image& image, const std::string& path, const WholeColumn& column, const Points& points,
                 const std::vector<std::string>& dimensions) {
  const bool enumerated = !column.meanings.empty() && !column.mask;
  if (enumerated) {
    std::vector<std::string> meanings = column.meanings;
    meanings.emplace_back("no_plan");
    std::vector<std::int8_t> values;
    for (const PlanPoint* p : points)
      values.push_back(static_cast<std::int8_t>(p ? column.get(*p) : static_cast<std::int64_t>(column.meanings.size())));
    image.flags(path, values, meanings, {"1", column.long_name, dimensions, false, ""});
    return;
  }
  std::vector<std::int64_t> values;
  for (const PlanPoint* p : points) values.push_back(p ? column.get(*p) : -1);
  std::string comment = "-1: no plan for this size";
  if (column.mask) comment += "; bits from the lowest: " + join(column.meanings, " ");
  image.dataset(path, values, {column.units, column.long_name, dimensions, true, comment});
}

/// All columns of the points but the one that is the dimension itself.
void write_points(Hdf5Image& image, const std::string& group, const Points& points, const std::string& dimension, bool with_devices) {
  const std::vector<std::string> dimensions{dimension};
  std::vector<std::string> strategies;
  for (const PlanPoint* p : points) strategies.push_back(p ? describe(p->strategy) : "");
  image.dataset(group + "/strategy", strategies,
                {"1", "the strategy in short: degrees, micro-batch, sharding, schedule, recompute", dimensions, false, ""});
  for (const WholeColumn& column : whole_columns())
    if (with_devices || column.name != "devices") write_whole(image, group + "/" + column.name, column, points, dimensions);
  for (const RealColumn& column : real_columns()) {
    std::vector<double> values;
    for (const PlanPoint* p : points) {
      const double value = p ? column.get(*p) : missing;
      values.push_back(column.missing_is_infinite && std::isinf(value) ? missing : value);
    }
    bool all = !column.missing_is_infinite;
    for (const PlanPoint* p : points) all = all && p != nullptr;
    image.dataset(group + "/" + column.name, values, {column.units, column.long_name, dimensions, !all, ""});
  }
}

void write_sizes(Hdf5Image& image, const PlanResults& results) {
  std::vector<std::int64_t> devices, considered, too_large;
  std::vector<std::int8_t> status, on_front;
  std::vector<std::string> remarks;
  Points best;
  for (const PlanSize& size : results.sizes) {
    devices.push_back(size.devices);
    considered.push_back(size.considered);
    too_large.push_back(size.too_large);
    status.push_back(static_cast<std::int8_t>(size.status));
    on_front.push_back(size.on_front ? 1 : 0);
    remarks.push_back(size.remark);
    best.push_back(results.best_of(size.devices));
  }
  const std::vector<std::string> dimensions{"/plans/devices"};
  image.scale("/plans/devices", devices, {"1", "devices of the cluster", {}, false, ""});
  image.flags("/plans/status", status, {"fits", "does_not_fit", "no_strategy"},
              {"1", "whether there is a plan for this size", dimensions, false, ""});
  image.flags("/plans/on_front", on_front, {"no", "yes"}, {"1", "no other size is both faster and cheaper", dimensions, false, ""});
  image.dataset("/plans/considered", considered, {"1", "strategies of the search space", dimensions, false, ""});
  image.dataset("/plans/too_large", too_large, {"1", "strategies known not to fit in memory", dimensions, false, ""});
  for (const CountColumn& column : count_columns()) {
    std::vector<std::int64_t> values;
    for (const PlanSize& size : results.sizes) values.push_back(size.counts.*column.member);
    image.dataset(std::string("/plans/") + column.name, values, {"1", column.long_name, dimensions, false, ""});
  }
  image.dataset("/plans/remark", remarks, {"1", "why there is no plan, and what would cure it", dimensions, false, ""});
  write_points(image, "/plans", best, "/plans/devices", false);
}

/// Points on a dimension that only numbers them.
void write_numbered(Hdf5Image& image, const std::string& group, const std::string& dimension, const std::string& long_name,
                    const Points& points) {
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < points.size(); ++i) numbers.push_back(static_cast<std::int64_t>(i));
  const std::string scale = group + "/" + dimension;
  image.scale(scale, numbers, {"1", long_name, {}, false, ""});
  write_points(image, group, points, scale, true);
}

void write_answer(Hdf5Image& image, const PlanResults& results) {
  Points points;
  if (const PlanPoint* best = results.best_of(results.answer.devices)) points.push_back(best);
  write_numbered(image, "/best", "plan", "the plan that the answer is about; none when there is no plan", points);
  image.attribute("/best", "kind", results.answer.kind);
  image.attribute("/best", "sentence", results.answer.sentence);
  image.attribute("/best", "details", join(results.answer.details, "\n"));
}

void write_assumptions(Hdf5Image& image, const std::vector<Assumption>& assumptions) {
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < assumptions.size(); ++i) numbers.push_back(static_cast<std::int64_t>(i));
  image.scale("/assumptions/assumption", numbers, {"1", "number of the assumption", {}, false, ""});
  const auto column = [&](const std::string& name, const std::string& long_name, std::string Assumption::*member) {
    std::vector<std::string> values;
    for (const Assumption& a : assumptions) values.push_back(a.*member);
    image.dataset("/assumptions/" + name, values, {"1", long_name, {"/assumptions/assumption"}, false, ""});
  };
  column("name", "what is assumed", &Assumption::name);
  column("value", "its value, with unit", &Assumption::value);
  column("basis", "given, default, catalogue, measured, derived, fitted or estimated", &Assumption::basis);
  column("source", "where it comes from", &Assumption::source);
  column("date", "date of the source", &Assumption::date);
}

void write_provenance(Hdf5Image& image, const PlanResults& results) {
  const PlanProvenance& p = results.provenance;
  image.attribute("/", "Conventions", "CF-1.10 RECKON-1.0");
  image.attribute("/", "reckon_format", results_format);
  image.attribute("/", "title", results.answer.sentence);
  image.attribute("/", "software", "reckon");
  image.attribute("/", "softwareVersion", p.version);
  image.attribute("/", "git_commit", p.git_commit);
  image.attribute("/", "command_line", p.command_line);
  if (!p.date.empty()) image.attribute("/", "date", p.date);
  image.attribute("/", "seed", p.seed);
  nlohmann::ordered_json inputs = nlohmann::ordered_json::array();
  for (const InputText& i : results.inputs)
    inputs.push_back({{"name", i.name}, {"path", i.path}, {"size", i.text.size()}, {"sha256", i.sha256}});
  image.attribute("/", "inputs", dump_json(inputs));
  image.attribute("/", "uuid", p.uuid);
  image.attribute("/", "default", "/plans");
}

Hdf5Image image_of(const PlanResults& results, const std::string& file) {
  Hdf5Image image(file);
  write_provenance(image, results);
  image.text("/inputs/question", question_json(results.question), "the question with every default filled in");
  for (const InputText& input : results.inputs) image.text("/inputs/" + input.name, input.text, input.path);
  write_sizes(image, results);
  write_numbered(image, "/candidates", "candidate", "number of the candidate", pointers(results.candidates));
  write_numbered(image, "/nearest_misses", "nearest_miss", "number of the nearest miss", pointers(results.nearest_misses));
  write_answer(image, results);
  write_assumptions(image, results.assumptions);
  if (results.costs) write_costs(image, *results.costs);
  return image;
}

}  // namespace

std::string results_image(const PlanResults& results, const std::string& file) {
  if (results.currency != "USD") throw InternalError("results are kept in USD");
  return image_of(results, file).finish();
}

void save_results(const PlanResults& results, const std::filesystem::path& target, bool overwrite) {
  Hdf5Image image = image_of(results, target.string());
  save_hdf5(image, target, overwrite);
}

}  // namespace reckon
