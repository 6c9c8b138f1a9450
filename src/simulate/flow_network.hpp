// Flows over links with max-min fair sharing: what a fabric with contention gives to each of the transfers that use it at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "simulate/event_queue.hpp"

namespace reckon {

/// A link that a flow crosses.  A collective that moves in step is one flow whose `times` says how often its rate loads the link.
struct Crossing {
  std::uint32_t link = 0;
  double times = 1.0;
};

/// Transfers in progress, their rates and their ends.
///
/// Rates are max-min fair (Bertsekas and Gallager, Data Networks, section 6.5.2): all unfixed flows grow together until a link is full or a
/// flow reaches its limit; what is fixed stays, the rest grows on.  On every change only the flows that are connected to it through shared
/// links are shared out anew.  Bytes, seconds, bytes per second.
class FlowNetwork {
 public:
  static constexpr std::uint32_t nothing = ~std::uint32_t{0};

  /// Adds a link; capacity > 0.
  std::uint32_t add_link(double capacity);
  std::size_t num_links() const { return links_.size(); }
  /// Changes a link's capacity from now on: a slow or degraded link.
  void set_capacity(std::uint32_t link, double capacity);

  /// Starts a flow of `size` bytes at `now` (not before earlier calls' times).  A flow without crossings needs a finite limit.  Returns its
  /// id; ids of finished flows are used again.
  std::uint32_t start(double now, double size, const std::vector<Crossing>& route, double limit = std::numeric_limits<double>::infinity());

  /// Time of the next end of a flow; infinity when none is under way.
  double next_end();
  /// Ends the flow that ends at next_end() and returns its id.
  std::uint32_t finish_next();

  double rate(std::uint32_t flow);
  std::size_t active() const { return active_; }
  /// The latest time that a call brought the network to.
  double now() const { return now_; }
  double capacity(std::uint32_t link) const { return links_[link].capacity; }
  /// Bytes that have crossed a link so far.
  double carried(std::uint32_t link) const { return links_[link].carried; }

 private:
  struct Link {
    double capacity = 0, left = 0, weight = 0, carried = 0;  // left, weight: of the sharing under way
    std::vector<std::uint32_t> flows;
    bool visited = false;
  };
  struct Flow {
    double remaining = 0, rate = 0, limit = 0, updated = 0, end = 0, bytes = 0;
    std::vector<Crossing> route;
    bool running = false, visited = false, fixed = false;
  };

  void progress(Flow& flow, double now);
  void share_out();
  void collect(std::uint32_t link);
  void fix(Flow& flow, double rate);

  std::vector<Link> links_;
  std::vector<Flow> flows_;
  std::vector<std::uint32_t> free_, dirty_;  // free flow ids; links whose flows changed
  std::vector<std::uint32_t> part_flows_, part_links_;
  EventQueue ends_;
  double now_ = 0;
  std::size_t active_ = 0;
};

}  // namespace reckon
