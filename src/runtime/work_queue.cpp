// SPDX-License-Identifier: Apache-2.0
#include "runtime/work_queue.hpp"

#include <unistd.h>

#include "runtime/mpi_call.hpp"

namespace reckon {
namespace {

constexpr int request_tag = 23, answer_tag = 24;
constexpr std::int64_t nothing = -1, asks = 0, closes = 1;
constexpr unsigned pause_microseconds = 50;

}  // namespace

WorkQueue::WorkQueue(const MpiSession& session, std::int64_t total)
    : session_(session), total_(total), waiting_for_(session.is_root() ? session.size() - 1 : 0) {}
WorkQueue::~WorkQueue() = default;

std::optional<std::int64_t> WorkQueue::take() { return next_ < total_ ? std::optional(next_++) : std::nullopt; }

void WorkQueue::answer(int rank) {
  const std::optional<std::int64_t> number = take();
  const std::int64_t reply = number.value_or(nothing);
  if (!number) --waiting_for_;
  check_mpi(MPI_Send(&reply, 1, MPI_INT64_T, rank, answer_tag, MPI_COMM_WORLD), "MPI_Send");  // eight bytes: sent at once
}

void WorkQueue::serve() {
  if (!session_.is_root()) return;
  while (waiting_for_ > 0) {
    int arrived = 0;
    MPI_Status status;
    check_mpi(MPI_Iprobe(MPI_ANY_SOURCE, request_tag, MPI_COMM_WORLD, &arrived, &status), "MPI_Iprobe");
    if (arrived == 0) return;
    std::int64_t request = asks;
    check_mpi(MPI_Recv(&request, 1, MPI_INT64_T, status.MPI_SOURCE, request_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE), "MPI_Recv");
    if (request == closes) next_ = total_;
    answer(status.MPI_SOURCE);
  }
}

std::optional<std::int64_t> WorkQueue::next() {
  if (session_.is_root()) {
    serve();
    if (const auto number = take()) return number;
    while (waiting_for_ > 0) {
      serve();
      usleep(pause_microseconds);
    }
    return std::nullopt;
  }
  const std::int64_t request = closing_ ? closes : asks;
  std::int64_t reply = nothing;
  MPI_Request pending = MPI_REQUEST_NULL;
  check_mpi(MPI_Send(&request, 1, MPI_INT64_T, 0, request_tag, MPI_COMM_WORLD), "MPI_Send");
  check_mpi(MPI_Irecv(&reply, 1, MPI_INT64_T, 0, answer_tag, MPI_COMM_WORLD, &pending), "MPI_Irecv");
  polite_wait(pending);
  return reply == nothing ? std::nullopt : std::optional(reply);
}

void WorkQueue::close() {
  closing_ = true;
  if (session_.is_root()) next_ = total_;
}

}  // namespace reckon
