// Numbers handed out to all ranks as they ask for them: independent pieces of work, whoever is free takes the next.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "runtime/mpi_session.hpp"

namespace reckon {

/// Rank 0 keeps the count and works too; it answers the others whenever it calls next() or serve(), so call serve() often (every
/// millisecond or so) inside long pieces.  Every rank calls next() until it returns nothing; rank 0's last next() returns when all others
/// have had theirs.  Without MPI it just counts.
class WorkQueue {
 public:
  WorkQueue(const MpiSession& session, std::int64_t total);
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;
  ~WorkQueue();

  /// The next number of 0 .. total - 1 that nobody had; nothing when all are taken or somebody closed the queue.
  std::optional<std::int64_t> next();
  /// Rank 0: answers whoever waits.  Others: nothing.
  void serve();
  /// Nothing more is handed out, to anybody.
  void close();

 private:
  std::optional<std::int64_t> take();
  void answer(int rank);

  const MpiSession& session_;
  std::int64_t next_ = 0, total_ = 0;
  int waiting_for_ = 0;  // rank 0: others that have not had their last answer
  bool closing_ = false;
};

}  // namespace reckon
