// Which links the messages of a step load, all groups of a kind at once, and the network that is left when links with the same load are
// taken together.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cost/job.hpp"
#include "simulate/device_order.hpp"
#include "simulate/step_plan.hpp"
#include "simulate/topology.hpp"

namespace reckon {

/// Where a job's devices are.
struct ClusterLayout {
  bool scatter = false;             ///< nodes drawn at random from the cluster's order (a fragmented allocation), else side by side
  std::uint64_t seed = 1;           ///< of that draw
  std::vector<std::int64_t> torus;  ///< sizes of a torus whose product is the number of devices; empty: switches and NICs
};

/// One kind of message of all groups of a stage, which move in step: a flow whose rate is that over one edge of a ring, or of one member
/// to one other where all send to all.
struct GroupFlow {
  std::vector<Crossing> route;  ///< over classes of links
  double open_rate = 0;         ///< alone, on a fabric without oversubscription
  bool leaves_domain = false;   ///< some of it goes through NICs
  bool all_pairs = false;       ///< every member to every other, else rings
};

/// The flows of a job.  Tensor, context and data groups are rings over their domains, one a member inside the domain, so that all use
/// their own NIC; expert groups send from all to all; stages send from every device to its counterpart.  Links that carry the same share
/// of the same flows behave alike, so that one stands for all of them: a class.
class LinkUse {
 public:
  /// Throws UsageError when the torus does not have as many places as the job has devices.
  LinkUse(const Job& job, const PipelineShape& shape, const ClusterLayout& layout);

  /// Null where a group has one member.
  const GroupFlow* group(Stream stream, std::int64_t stage) const;
  const GroupFlow* transfer(std::int64_t from, std::int64_t to) const;

  /// A new network of the classes.
  FlowNetwork network() const;
  /// A link of the class by name, and how many more are in it.
  std::string class_name(std::uint32_t link) const;

 private:
  using Key = std::pair<int, std::int64_t>;  // stream; stage, or from * 2^32 + to
  struct Class {
    double capacity = 0;
    std::uint32_t link = 0;  // the first of them
    std::int64_t count = 0;
  };
  class Loader;

  std::map<Key, GroupFlow> flows_;
  std::vector<Class> classes_;
  std::vector<std::string> names_;  // by class
};

}  // namespace reckon
