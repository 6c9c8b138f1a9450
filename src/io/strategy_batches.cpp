// SPDX-License-Identifier: Apache-2.0
#include "io/strategy_batches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "io/hdf5_image.hpp"
#include "io/results_columns.hpp"

namespace reckon {
namespace {

namespace fs = std::filesystem;

/// Columns of a plan that say nothing of a strategy.
constexpr std::array<std::string_view, 4> not_of_strategies{"devices", "place", "peak_stage", "cost_micro_usd"};

const std::vector<std::string> rows_dimension{"/strategy"};

void write_column(Hdf5Image& image, const WholeColumn& column, const std::vector<PlanPoint>& points) {
  const std::string path = "/" + column.name;
  if (!column.meanings.empty() && !column.mask) {
    std::vector<std::int8_t> codes;
    for (const PlanPoint& p : points) codes.push_back(static_cast<std::int8_t>(column.get(p)));
    image.flags(path, codes, column.meanings, {"1", column.long_name, rows_dimension, false, ""});
    return;
  }
  std::vector<std::int64_t> values;
  for (const PlanPoint& p : points) values.push_back(column.get(p));
  const std::string comment = column.mask ? "bits from the lowest: " + join(column.meanings, " ") : "";
  image.dataset(path, values, {column.units, column.long_name, rows_dimension, false, comment});
}

void write_costs(Hdf5Image& image, const std::vector<DecidedStrategy>& rows) {
  std::vector<double> seconds, bytes;
  std::vector<std::int8_t> fits;
  for (const DecidedStrategy& row : rows) {
    seconds.push_back(row.step_time.base());
    bytes.push_back(row.memory.base());
    fits.push_back(row.fits ? 1 : 0);
  }
  image.dataset("/step_time", seconds, {"s", "time of one optimizer step", rows_dimension, false, ""});
  image.dataset("/memory_total", bytes, {"byte", "footprint of the fullest device", rows_dimension, false, ""});
  image.flags("/fits", fits, {"no", "yes"}, {"1", "within the memory of device, less the margin, and host", rows_dimension, false, ""});
}

}  // namespace

StrategyBatches::StrategyBatches(fs::path folder, std::string name, std::int64_t devices, const PlanProvenance& provenance)
    : folder_(std::move(folder)), name_(std::move(name)), devices_(devices), provenance_(provenance) {}

void StrategyBatches::add(DecidedStrategy row) {
  batch_.push_back(std::move(row));
  ++rows_;
  if (batch_.size() == batch_rows) write();
}

void StrategyBatches::finish() {
  if (!batch_.empty()) write();
}

void StrategyBatches::write() {
  const fs::path path = folder_ / fmt::format("{}.{:04}.h5", name_, files_++);
  if (!fs::exists(path)) {
    Hdf5Image image(path.string());
    image.attribute("/", "software", "reckon");
    image.attribute("/", "softwareVersion", provenance_.version);
    image.attribute("/", "git_commit", provenance_.git_commit);
    image.attribute("/", "command_line", provenance_.command_line);
    image.attribute("/", "uuid", provenance_.uuid);
    image.attribute("/", "devices", devices_);
    std::vector<std::int64_t> numbers;
    std::vector<PlanPoint> points;
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      numbers.push_back(rows_ - static_cast<std::int64_t>(batch_.size() - i));
      points.push_back({devices_, 0, std::move(batch_[i].strategy), {}, {}});
    }
    image.scale("/strategy", numbers, {"1", "number of the strategy within its part of the space", {}, false, ""});
    for (const WholeColumn& column : whole_columns())
      if (std::find(not_of_strategies.begin(), not_of_strategies.end(), column.name) == not_of_strategies.end())
        write_column(image, column, points);
    write_costs(image, batch_);
    save_hdf5(image, path, false);
  }
  batch_.clear();
}

}  // namespace reckon
