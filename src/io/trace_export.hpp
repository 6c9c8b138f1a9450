// A simulated step for people and for other programs: Chrome / Perfetto trace, picture of the pipeline, memory curve, Chakra execution
// trace. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "simulate/contention.hpp"
#include "simulate/step_simulation.hpp"

namespace reckon {

struct Trace {
  std::string json;
  std::size_t events = 0;  ///< slices, counters and names
  bool pieces = true;      ///< false: too many pieces, passes are drawn whole
};

/// The step in the Trace Event Format (Google, "Trace Event Format", JSON object form), which Perfetto and chrome://tracing open: a process
/// a pipeline stage, a row a stream, microseconds.  Passes are slices of the compute row; their pieces are slices within them and on the
/// rows of their messages; held memory is a counter.  When that were more than `most_events` events, pieces are left out; when passes alone
/// are too many, the last micro-batches are.
Trace trace_json(const StepPlan& plan, const StepSimulation& simulation, std::size_t most_events = 1'000'000);

/// The pipeline as SVG: a row a stage, time from left to right, a box a pass with its micro-batch; below, the memory of every stage.
std::string pipeline_svg(const StepPlan& plan, const StepSimulation& simulation, const std::string& title);

/// CSV: link, bytes over it in one step, share of what it could carry; busiest first.
std::string links_csv(const Contention& contention);

/// Held bytes as CSV: stage, time_s, bytes.
std::string memory_csv(const StepSimulation& simulation);

/// The Chakra execution trace of one stage's device (MLCommons Chakra, schema/protobuf/et_def.proto, package ChakraProtoMsg): a
/// length-prefixed GlobalMetadata, then length-prefixed Nodes; compute with `duration_micros`, collectives with `comm_type`, `comm_size`
/// (bytes) and `pg_name`, sends and receives between stages with `comm_src`, `comm_dst`, `comm_tag`, activations to and from the host as
/// memory nodes with `tensor_size`.  Every node depends on the one before it on its device.
std::string chakra_trace(const StepPlan& plan, const StepSimulation& simulation, std::size_t stage);

}  // namespace reckon
