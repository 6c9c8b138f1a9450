// SPDX-License-Identifier: Apache-2.0
#include "app/calibrated_scene.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace reckon {
namespace {

Source source_of_measurement(const MachineCalibration& m, const std::string& file) {
  return {.title = fmt::format("{}: {}, {} {} of {}", file, m.processor, m.ranks, m.ranks == 1 ? "rank" : "ranks",
                               m.threads == 1 ? "one thread" : fmt::format("{} threads", m.threads)),
          .date = m.date,
          .read = true,
          .url = file};
}

void use_compute(const MachineCalibration& m, const Source& source, Scene& scene) {
  ComputeCalibration own = m.compute->compute;
  for (const Precision precision : all_precisions) {
    auto& entry = own.gemm[static_cast<std::size_t>(precision)];
    if (entry) {
      entry->source = source;
    } else if (!m.is_cpu()) {
      entry = scene.compute.gemm[static_cast<std::size_t>(precision)];  // not measured here: as published
    }
  }
  for (auto& [kernel, attention] : own.attention) attention.source = source;
  if (own.attention.empty()) own.attention = scene.compute.attention;
  own.provenance["stream"] = source;
  scene.compute = std::move(own);
}

void use_links(const MachineCalibration& m, const Source& source, Scene& scene) {
  DomainLinks domain = m.links->domain;
  const BytesPerSecond nominal =
      scene.cluster.device.link_bandwidth.base() > 0 ? scene.cluster.device.link_bandwidth : scene.cluster.device.pcie_bandwidth;
  for (PathCost* path : {&domain.bulk, &domain.all_to_all, &domain.point_to_point}) path->efficiency *= m.links->link / nominal;
  scene.links.domain = domain;
  scene.links.measured = std::make_shared<MeasuredLinks>(m.links->curves);
  scene.links.domain_measured = true;
  scene.links.domain_source = source;
}

}  // namespace

void check_calibrated_place(const MachineCalibration& machine, const std::string& place) {
  if (machine.is_cpu() && !place.empty())
    throw UsageError("the calibration is of this machine's processors, which are a place of their own",
                     "leave --device and --cluster away, or give the calibration of a device");
  if (!machine.is_cpu() && place.empty())
    throw UsageError("the place is missing", "give --device " + machine.device + ", or a cluster of them");
}

void use_calibration(const MachineCalibration& machine, const std::string& file, Scene& scene) {
  if (scene.cluster.device.id != machine.device)
    throw UsageError(fmt::format("the calibration is of {}, not of {}", machine.device, scene.cluster.device.id),
                     "give --device " + machine.device);
  if (machine.is_cpu() && !machine.compute)
    throw CalibrationError(file + " measured no compute", "measure it: reckon calibrate --out FILE");
  const Source source = source_of_measurement(machine, file);
  if (machine.compute) use_compute(machine, source, scene);
  if (machine.links) use_links(machine, source, scene);
}

}  // namespace reckon
