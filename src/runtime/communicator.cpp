// Groups of ranks over MPI's nonblocking calls.
// SPDX-License-Identifier: Apache-2.0
#include "runtime/communicator.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>

#include "base/error.hpp"
#include "runtime/mpi_call.hpp"

namespace reckon {
namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

constexpr std::int64_t largest_piece = std::int64_t{1} << 28;  // MPI counts are int

int as_count(std::int64_t count) {
  if (count < 0 || count > std::numeric_limits<int>::max()) throw MpiError("a message of more than 2 GiB between two ranks");
  return static_cast<int>(count);
}

bool mpi_is_up() {
  int initialized = 0, finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  return initialized && !finalized;
}

}  // namespace

struct Communicator::Group {
  MPI_Comm handle = MPI_COMM_NULL;
  bool owned = false;
  double seconds = 0, bytes = 0;

  ~Group() {
    if (owned && mpi_is_up()) MPI_Comm_free(&handle);
  }
  /// Waits for `request` and counts the time since `start`.
  void finish(MPI_Request& request, Clock::time_point start, double payload) {
    polite_wait(request);
    seconds += since(start);
    bytes += payload;
  }
};

struct PendingMessage::Request {
  MPI_Request handle = MPI_REQUEST_NULL;
  double* seconds = nullptr;
  std::shared_ptr<void> group;  // keeps `seconds` alive
};

void PendingMessage::wait() {
  if (!request_) return;
  const auto start = Clock::now();
  polite_wait(request_->handle);
  *request_->seconds += since(start);
  request_.reset();
}

bool PendingMessage::arrived() {
  if (!request_) return true;
  int done = 0;
  check_mpi(MPI_Test(&request_->handle, &done, MPI_STATUS_IGNORE), "MPI_Test");
  if (done) request_.reset();
  return done != 0;
}

Communicator Communicator::world() {
  Communicator c;
  if (!mpi_is_up()) return c;
  check_mpi(MPI_Comm_rank(MPI_COMM_WORLD, &c.rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &c.size_), "MPI_Comm_size");
  c.group_ = std::make_shared<Group>();
  c.group_->handle = MPI_COMM_WORLD;
  return c;
}

Communicator Communicator::split(int color, int key) const {
  Communicator c;
  if (size_ == 1) return c;
  MPI_Comm handle = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split(group_->handle, color, key, &handle), "MPI_Comm_split");
  c.group_ = std::make_shared<Group>();
  c.group_->handle = handle;
  c.group_->owned = true;
  check_mpi(MPI_Comm_rank(handle, &c.rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(handle, &c.size_), "MPI_Comm_size");
  return c;
}

namespace {

template <class Group, class T>
void all_reduce(Group& group, T* data, std::int64_t count, MPI_Datatype type, MPI_Op operation) {
  for (std::int64_t at = 0; at < count; at += largest_piece) {
    const std::int64_t piece = std::min(largest_piece, count - at);
    const auto start = Clock::now();
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Iallreduce(MPI_IN_PLACE, data + at, as_count(piece), type, operation, group.handle, &request), "MPI_Iallreduce");
    group.finish(request, start, double(piece) * sizeof(T));
  }
}

template <class Group, class T>
void reduce_scatter(Group& group, const T* whole, T* part, std::int64_t count, MPI_Datatype type) {
  const auto start = Clock::now();
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Ireduce_scatter_block(whole, part, as_count(count), type, MPI_SUM, group.handle, &request), "MPI_Ireduce_scatter_block");
  group.finish(request, start, double(count) * sizeof(T));
}

}  // namespace

void Communicator::all_reduce_sum(float* data, std::int64_t count) const {
  if (size_ > 1) all_reduce(*group_, data, count, MPI_FLOAT, MPI_SUM);
}
void Communicator::all_reduce_sum(double* data, std::int64_t count) const {
  if (size_ > 1) all_reduce(*group_, data, count, MPI_DOUBLE, MPI_SUM);
}
void Communicator::all_reduce_max(float* data, std::int64_t count) const {
  if (size_ > 1) all_reduce(*group_, data, count, MPI_FLOAT, MPI_MAX);
}
void Communicator::all_reduce_max(double* data, std::int64_t count) const {
  if (size_ > 1) all_reduce(*group_, data, count, MPI_DOUBLE, MPI_MAX);
}

void Communicator::reduce_scatter_sum(const float* whole, float* part, std::int64_t count) const {
  if (size_ == 1) {
    std::copy_n(whole, count, part);
    return;
  }
  reduce_scatter(*group_, whole, part, count, MPI_FLOAT);
}
void Communicator::reduce_scatter_sum(const double* whole, double* part, std::int64_t count) const {
  if (size_ == 1) {
    std::copy_n(whole, count, part);
    return;
  }
  reduce_scatter(*group_, whole, part, count, MPI_DOUBLE);
}

void Communicator::all_gather(const void* part, void* whole, std::size_t bytes) const {
  auto* target = static_cast<char*>(whole) + static_cast<std::size_t>(rank_) * bytes;
  if (target != part) std::memcpy(target, part, bytes);
  if (size_ == 1) return;
  const auto start = Clock::now();
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallgather(MPI_IN_PLACE, 0, MPI_BYTE, whole, as_count(std::int64_t(bytes)), MPI_BYTE, group_->handle, &request),
            "MPI_Iallgather");
  group_->finish(request, start, double(bytes));
}

void Communicator::all_to_all(const void* send, const std::vector<std::int64_t>& send_bytes, void* receive,
                              const std::vector<std::int64_t>& receive_bytes) const {
  if (size_ == 1) {
    std::memcpy(receive, send, static_cast<std::size_t>(send_bytes[0]));
    return;
  }
  std::vector<int> send_counts, send_first, receive_counts, receive_first;
  std::int64_t sent = 0, received = 0;
  for (int r = 0; r < size_; ++r) {
    send_counts.push_back(as_count(send_bytes[std::size_t(r)]));
    send_first.push_back(as_count(sent));
    receive_counts.push_back(as_count(receive_bytes[std::size_t(r)]));
    receive_first.push_back(as_count(received));
    sent += send_bytes[std::size_t(r)];
    received += receive_bytes[std::size_t(r)];
  }
  const auto start = Clock::now();
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Ialltoallv(send, send_counts.data(), send_first.data(), MPI_BYTE, receive, receive_counts.data(), receive_first.data(),
                           MPI_BYTE, group_->handle, &request),
            "MPI_Ialltoallv");
  group_->finish(request, start, double(sent));
}

void Communicator::broadcast(void* data, std::size_t bytes, int root) const {
  if (size_ == 1) return;
  const auto start = Clock::now();
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Ibcast(data, as_count(std::int64_t(bytes)), MPI_BYTE, root, group_->handle, &request), "MPI_Ibcast");
  group_->finish(request, start, double(bytes));
}

void Communicator::barrier() const {
  if (size_ == 1) return;
  const auto start = Clock::now();
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Ibarrier(group_->handle, &request), "MPI_Ibarrier");
  group_->finish(request, start, 0);
}

PendingMessage Communicator::send(const void* data, std::size_t bytes, int to, int tag) const {
  if (size_ == 1) throw InternalError("a message from a rank that is alone");
  auto request = std::make_shared<PendingMessage::Request>();
  request->seconds = &group_->seconds;
  request->group = group_;
  check_mpi(MPI_Isend(data, as_count(std::int64_t(bytes)), MPI_BYTE, to, tag, group_->handle, &request->handle), "MPI_Isend");
  group_->bytes += double(bytes);
  return PendingMessage(std::move(request));
}

PendingMessage Communicator::receive(void* data, std::size_t bytes, int from, int tag) const {
  if (size_ == 1) throw InternalError("a message to a rank that is alone");
  auto request = std::make_shared<PendingMessage::Request>();
  request->seconds = &group_->seconds;
  request->group = group_;
  check_mpi(MPI_Irecv(data, as_count(std::int64_t(bytes)), MPI_BYTE, from, tag, group_->handle, &request->handle), "MPI_Irecv");
  return PendingMessage(std::move(request));
}

double Communicator::seconds() const { return group_ ? group_->seconds : 0; }
double Communicator::bytes() const { return group_ ? group_->bytes : 0; }

}  // namespace reckon
