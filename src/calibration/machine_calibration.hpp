// What `reckon calibrate` knows of one machine: samples, fits, and where and when they were made.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "calibration/fit_compute.hpp"
#include "calibration/fit_links.hpp"

namespace reckon {

/// The links inside the node.
struct LinkFit {
  BytesPerSecond link;  ///< what the efficiencies of `domain` refer to: the fastest message measured
  DomainLinks domain;   ///< for groups that were not measured
  MeasuredLinks curves;
  std::vector<LinkResidual> residuals;
};

struct MachineCalibration {
  std::string device;     ///< id in the catalogue; "cpu" for the processors of the machine itself
  std::string processor;  ///< as the system names it
  std::string date;       ///< YYYY-MM-DD
  std::string clock_kind = "wall";
  std::int64_t ranks = 1, threads = 1, processors = 1;  ///< of the node while it was measured; threads of a rank
  Hertz clock;
  Bytes memory, cache;
  Seconds pace;           ///< processor time of a fixed piece of arithmetic (runtime/pace.hpp) when the machine was fastest; 0 = not observed
  double slow_share = 0;  ///< share of samples at which it was slower: taken again while there was patience
  std::map<std::string, std::string> software;  ///< name: version
  Samples samples;
  std::optional<ComputeFit> compute;
  std::optional<LinkFit> links;

  bool is_cpu() const { return device == "cpu"; }
};

/// Fits all there is in `samples`: compute where products and copies were measured, links where messages were.
void fit_machine(MachineCalibration& machine, const std::map<Precision, FlopsPerSecond>& peak, double multiprocessors);

/// The machine itself as a place: one device a rank, no fabric beyond the node but the slowest of its own links.  For CPUs.
Cluster cluster_of(const MachineCalibration& machine);

}  // namespace reckon
