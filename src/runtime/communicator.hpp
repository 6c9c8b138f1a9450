// A group of ranks and the messages among them.  A group of one needs no MPI and moves nothing.
//
// All waits are polite (see runtime/mpi_call.hpp), and the time spent in them is counted, so that a step can be told apart into work and
// messages.  Without mpi.h, for folders that must not see it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace reckon {

/// A message on its way; its memory must stay until wait().
class PendingMessage {
 public:
  PendingMessage() = default;
  struct Request;
  explicit PendingMessage(std::shared_ptr<Request> request) : request_(std::move(request)) {}
  /// Returns when the message has left (a send) or arrived (a receive).  Throws MpiError.
  void wait();
  /// Whether wait() would return at once; for ranks that have nothing to do for seconds and should not look all the time.  Throws MpiError.
  bool arrived();

 private:
  std::shared_ptr<Request> request_;
};

class Communicator {
 public:
  /// This rank alone.
  Communicator() = default;
  /// All ranks of the job when MPI is up, else this one alone.
  static Communicator world();
  /// The ranks that give the same colour, ordered by key.  Collective.
  Communicator split(int color, int key) const;

  /// The same for copies of a communicator, different for others; null for a rank alone.
  const void* identity() const { return group_.get(); }
  int rank() const { return rank_; }
  int size() const { return size_; }

  /// Sums in place; every rank gets the same bits.  Collective, as all that follow.
  void all_reduce_sum(float* data, std::int64_t count) const;
  void all_reduce_sum(double* data, std::int64_t count) const;
  void all_reduce_max(float* data, std::int64_t count) const;
  void all_reduce_max(double* data, std::int64_t count) const;
  /// part = the sum of all ranks' wholes, piece rank() of size() equal ones of `count` values.
  void reduce_scatter_sum(const float* whole, float* part, std::int64_t count) const;
  void reduce_scatter_sum(const double* whole, double* part, std::int64_t count) const;
  /// whole = the parts of all ranks, `bytes` each, by rank.  part may be its place in whole.
  void all_gather(const void* part, void* whole, std::size_t bytes) const;
  /// Sends bytes `send_bytes[r]` to each rank r, in order, and receives likewise.
  void all_to_all(const void* send, const std::vector<std::int64_t>& send_bytes, void* receive,
                  const std::vector<std::int64_t>& receive_bytes) const;
  /// `bytes` at `data` on rank `root` go to all others.
  void broadcast(void* data, std::size_t bytes, int root) const;
  void barrier() const;

  /// Point to point; messages between two ranks with one tag arrive in order.
  PendingMessage send(const void* data, std::size_t bytes, int to, int tag) const;
  PendingMessage receive(void* data, std::size_t bytes, int from, int tag) const;

  /// Wall-clock time that this rank spent in this group's collectives and waits since it was made.
  double seconds() const;
  /// Payload that this rank put into them.
  double bytes() const;

 private:
  struct Group;
  std::shared_ptr<Group> group_;
  int rank_ = 0, size_ = 1;
};

}  // namespace reckon
