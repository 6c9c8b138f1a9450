// The life of MPI in this process, and the few collectives that the commands need.  Works without a launcher as one rank.
//
// Never made for --help, --version and argument errors: those end before MPI_Init on every rank.  Between construction and destruction nobody
// calls exit(): a rank that leaves early with 0 makes mpiexec report success without a result.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/launch.hpp"

namespace reckon {

enum class MpiStart {
  when_launched,  ///< MPI_Init only below a launcher; else one rank without MPI, which starts 0.1 s earlier
  always,         ///< MPI_Init in any case: the command calls MPI itself
};

class MpiSession {
 public:
  /// Throws UsageError when several processes were started but MPI sees one world of one (`srun` without --mpi=pmi2), since all would write
  /// the same files; `allow_singleton` accepts that.  Throws MpiError when MPI does not start.
  MpiSession(MpiStart start, bool allow_singleton, const Environment& environment = process_environment());
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
  /// Finalizes.  While an exception passes, other ranks may be waiting: then it aborts the job, so catch inside the session.
  ~MpiSession();

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool is_root() const { return rank_ == 0; }
  /// Ranks on this node, and the processors that they may run on together.
  int node_ranks() const { return node_ranks_; }
  int node_processors() const { return node_processors_; }
  bool ranks_take_turns() const { return node_ranks_ > node_processors_; }

  /// Collectives; all ranks call them in the same order.  They wait politely (see polite_wait).
  void barrier() const;
  void broadcast(std::string& message, int root = 0) const;
  /// The messages of all ranks, by rank, on rank 0; empty elsewhere.
  std::vector<std::string> gather(const std::string& message) const;
  int all_reduce_max(int value) const;
  double all_reduce_max(double value) const;
  /// Every value becomes the largest of all ranks; all give as many.
  void all_reduce_max(std::vector<double>& values) const;
  std::int64_t all_reduce_sum(std::int64_t value) const;

  /// Ends all ranks at once with `code` (at most 125): for an error on one rank while others may be waiting.
  [[noreturn]] void abort(int code) const;

 private:
  bool owns_mpi_ = false;
  int rank_ = 0, size_ = 1, node_ranks_ = 1, node_processors_ = 1, exceptions_ = 0;
};

/// From now on an uncaught exception prints one line with the rank and ends all ranks with 70.
void install_terminate_handler();

}  // namespace reckon
