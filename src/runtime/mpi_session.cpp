// The life of MPI in this process.
// SPDX-License-Identifier: Apache-2.0
#include "runtime/mpi_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "base/error.hpp"
#include "runtime/mpi_call.hpp"

namespace reckon {
namespace {

constexpr std::int64_t largest_piece = std::int64_t{1} << 30;  // MPI counts are int
constexpr int gather_tag = 17;

/// True between MPI_Init and MPI_Finalize.
bool mpi_is_up() {
  int initialized = 0, finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  return initialized && !finalized;
}

int piece(std::int64_t left) { return static_cast<int>(std::min(left, largest_piece)); }

/// Last words of a process that cannot go on.
[[noreturn]] void on_terminate() {
  constexpr int code = 70;
  std::string reason = "terminated without an exception";
  if (const auto exception = std::current_exception()) {
    try {
      std::rethrow_exception(exception);
    } catch (const std::exception& error) {
      reason = error.what();
    } catch (...) {
      reason = "an exception of unknown type";
    }
  }
  int rank = 0;
  const bool up = mpi_is_up();
  if (up) MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  std::fprintf(stderr, "rank %d: reckon: internal error: %s\n", rank, reason.c_str());
  std::fflush(stderr);
  if (up) MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);
}

}  // namespace

void install_terminate_handler() { std::set_terminate(on_terminate); }

MpiSession::MpiSession(MpiStart start, bool allow_singleton, const Environment& environment) : exceptions_(std::uncaught_exceptions()) {
  const int expected = started_processes(environment);
  node_processors_ = own_processors();
  if (start == MpiStart::always || started_by_mpi(environment)) {
    int provided = 0;
    check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
    owns_mpi_ = true;
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
    check_mpi(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
    if (size_ > 1) {
      MPI_Comm node = MPI_COMM_NULL;
      check_mpi(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &node), "MPI_Comm_split_type");
      check_mpi(MPI_Comm_size(node, &node_ranks_), "MPI_Comm_size");
      node_processors_ = processors_of(node);
      set_crowded(ranks_take_turns());
      MPI_Comm_free(&node);
    }
  }
  if (size_ == 1 && expected > 1 && !allow_singleton) {
    if (owns_mpi_) MPI_Finalize();
    throw UsageError(fmt::format("{} processes were started, but MPI sees each of them alone", expected), "start with 'srun --mpi=pmi2' or 'mpiexec', or give --allow-singleton if you mean it");
  }
  install_terminate_handler();
}

MpiSession::~MpiSession() {
  if (!owns_mpi_) return;
  if (std::uncaught_exceptions() > exceptions_ && size_ > 1) MPI_Abort(MPI_COMM_WORLD, static_cast<int>(ExitCode::internal));
  MPI_Finalize();
}

void MpiSession::barrier() const {
  if (size_ == 1) return;
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Ibarrier(MPI_COMM_WORLD, &request), "MPI_Ibarrier");
  polite_wait(request);
}

void MpiSession::broadcast(std::string& message, int root) const {
  if (size_ == 1) return;
  auto size = static_cast<std::int64_t>(message.size());
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Ibcast(&size, 1, MPI_INT64_T, root, MPI_COMM_WORLD, &request), "MPI_Ibcast");
  polite_wait(request);
  message.resize(static_cast<std::size_t>(size));
  for (std::int64_t at = 0; at < size; at += largest_piece) {
    check_mpi(MPI_Ibcast(message.data() + at, piece(size - at), MPI_BYTE, root, MPI_COMM_WORLD, &request), "MPI_Ibcast");
    polite_wait(request);
  }
}

std::vector<std::string> MpiSession::gather(const std::string& message) const {
  if (size_ == 1) return {message};
  const auto size = static_cast<std::int64_t>(message.size());
  std::vector<std::int64_t> sizes(is_root() ? static_cast<std::size_t>(size_) : 0);
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Igather(&size, 1, MPI_INT64_T, sizes.data(), 1, MPI_INT64_T, 0, MPI_COMM_WORLD, &request), "MPI_Igather");
  polite_wait(request);

  if (!is_root()) {
    for (std::int64_t at = 0; at < size; at += largest_piece) {
      check_mpi(MPI_Isend(message.data() + at, piece(size - at), MPI_BYTE, 0, gather_tag, MPI_COMM_WORLD, &request), "MPI_Isend");
      polite_wait(request);
    }
    return {};
  }
  std::vector<std::string> all(static_cast<std::size_t>(size_));
  all[0] = message;
  for (int source = 1; source < size_; ++source) {
    std::string& part = all[static_cast<std::size_t>(source)];
    part.resize(static_cast<std::size_t>(sizes[static_cast<std::size_t>(source)]));
    const auto part_size = static_cast<std::int64_t>(part.size());
    for (std::int64_t at = 0; at < part_size; at += largest_piece) {
      check_mpi(MPI_Irecv(part.data() + at, piece(part_size - at), MPI_BYTE, source, gather_tag, MPI_COMM_WORLD, &request), "MPI_Irecv");
      polite_wait(request);
    }
  }
  return all;
}

namespace {

template <class T>
T all_reduce(T value, MPI_Datatype type, MPI_Op operation) {
  T result = value;
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallreduce(&value, &result, 1, type, operation, MPI_COMM_WORLD, &request), "MPI_Iallreduce");
  polite_wait(request);
  return result;
}

}  // namespace

int MpiSession::all_reduce_max(int value) const { return size_ == 1 ? value : all_reduce(value, MPI_INT, MPI_MAX); }
double MpiSession::all_reduce_max(double value) const { return size_ == 1 ? value : all_reduce(value, MPI_DOUBLE, MPI_MAX); }
void MpiSession::all_reduce_max(std::vector<double>& values) const {
  if (size_ == 1) return;
  std::vector<double> result(values.size());
  MPI_Request request = MPI_REQUEST_NULL;
  const int count = static_cast<int>(values.size());
  check_mpi(MPI_Iallreduce(values.data(), result.data(), count, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD, &request), "MPI_Iallreduce");
  polite_wait(request);
  values = std::move(result);
}
std::int64_t MpiSession::all_reduce_sum(std::int64_t value) const { return size_ == 1 ? value : all_reduce(value, MPI_INT64_T, MPI_SUM); }

void MpiSession::abort(int code) const {
  std::fflush(nullptr);
  if (owns_mpi_) MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);
}

}  // namespace reckon
