// A measured machine as a place and as calibrations.
// SPDX-License-Identifier: Apache-2.0
#include "calibration/machine_calibration.hpp"

#include <algorithm>

namespace reckon {

void fit_machine(MachineCalibration& machine, const std::map<Precision, FlopsPerSecond>& peak, double multiprocessors) {
  const Samples& s = machine.samples;
  if (!s.gemm.empty()) {
    machine.compute = fit_compute(s, peak, multiprocessors);
    ComputeCalibration& c = machine.compute->compute;
    c.device = machine.device;
    c.date = machine.date;
    auto measured = std::make_shared<MeasuredCompute>(*c.measured);
    measured->processors = double(machine.processors);
    measured->threads = double(machine.threads);
    c.measured = std::move(measured);
  }
  if (!s.links.empty()) {
    LinkFit links;
    for (const LinkSample& l : s.links)
      if (l.time.stable && l.collective != Collective::all_reduce) links.link = max(links.link, l.size / l.time.median);
    if (!(links.link.base() > 0))
      for (const LinkSample& l : s.links) links.link = max(links.link, l.size / l.time.median);
    links.domain = fit_domain_links(s.links, links.link);
    links.curves = fit_link_curves(s.links);
    links.residuals = held_out_residuals(s.links, machine.device);
    machine.links = std::move(links);
  }
}

Cluster cluster_of(const MachineCalibration& machine) {
  Cluster out;
  out.id = "this-machine";
  out.name = machine.processor;
  Device& d = out.device;
  d.id = machine.device;
  d.name = machine.processor;
  d.vendor = "measured";
  d.architecture = "cpu";
  d.memory = machine.memory / double(std::max<std::int64_t>(1, machine.ranks));
  d.num_multiprocessors = machine.threads;
  d.l2_cache = machine.cache;
  if (machine.compute) {
    for (const Precision precision : all_precisions)
      if (const auto& entry = machine.compute->compute.gemm[static_cast<std::size_t>(precision)])
        d.peak[precision] = entry->cost.parameters().peak;
    d.memory_bandwidth = machine.compute->compute.stream.bandwidth;
  }
  d.link_bandwidth = machine.links ? machine.links->link : d.memory_bandwidth;
  d.pcie_bandwidth = d.link_bandwidth;
  Node& n = out.node;
  n.id = n.name = "this-machine";
  n.device = d.id;
  n.devices_per_node = n.scale_up_domain = std::max<std::int64_t>(1, machine.ranks);
  n.nics_per_node = 1;
  n.fabric = "default";
  n.host_memory = machine.memory;
  out.fabric.id = out.fabric.kind = "default";
  out.fabric.name = "none measured";
  out.fabric.nic_bandwidth = d.link_bandwidth * 0.1;
  out.fabric.latency = Seconds{1e-5};
  return out;
}

}  // namespace reckon
