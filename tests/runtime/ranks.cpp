// What runs on several ranks in run_ranks.py: the collectives, and the ways in which a rank can fail.
// usage: ranks collectives|singleton|uncaught|abort|unwind|agree|crowded|bound
// SPDX-License-Identifier: Apache-2.0
#include <sched.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "base/error.hpp"
#include "runtime/mpi_session.hpp"

namespace {

/// What rank `rank` contributes: nothing, little or megabytes.
std::string contribution(int rank) { return std::string(rank % 3 == 1 ? 0 : rank % 3 == 2 ? 3'000'000 : 10, static_cast<char>('a' + rank)); }

int check_collectives(const reckon::MpiSession& session) {
  const int last = session.size() - 1;
  for (int round = 0; round < 20; ++round) {
    std::string text = session.rank() == last ? "from the last" : "to be replaced by a shorter or longer text";
    session.broadcast(text, last);
    if (text != "from the last") return 11;
    std::string nothing = session.is_root() ? "" : "x";
    session.broadcast(nothing);
    if (!nothing.empty()) return 12;
    const auto all = session.gather(contribution(session.rank()));
    if (session.is_root()) {
      if (static_cast<int>(all.size()) != session.size()) return 13;
      for (int rank = 0; rank < session.size(); ++rank)
        if (all[static_cast<std::size_t>(rank)] != contribution(rank)) return 14;
    } else if (!all.empty()) {
      return 15;
    }
    if (session.all_reduce_max(session.rank()) != last || session.all_reduce_max(-0.5 * session.rank()) != 0.0) return 16;
    if (session.all_reduce_sum(session.rank() + 1) != std::int64_t{session.size()} * (session.size() + 1) / 2) return 17;
    session.barrier();
  }
  if (session.is_root()) std::printf("%d ranks agree\n", session.size());
  return 0;
}

/// Leaves this process the processor that has its rank's place among the allowed ones, as a launcher does that binds ranks.
bool bind() {
  const char* rank = std::getenv("PMI_RANK");
  cpu_set_t allowed, one;
  CPU_ZERO(&one);
  if (rank == nullptr || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return false;
  for (int cpu = 0, place = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &allowed) && place++ == std::atoi(rank)) CPU_SET(cpu, &one);
  return sched_setaffinity(0, sizeof one, &one) == 0;
}

int run(const std::string& mode) {
  if (mode == "bound" && !bind()) return 18;
  const reckon::MpiSession session(reckon::MpiStart::always, mode == "singleton");
  if (mode == "collectives" || mode == "singleton") return session.all_reduce_max(check_collectives(session));
  if (mode == "agree") return session.all_reduce_max(session.rank() == 1 ? 3 : 0);
  if ((mode == "crowded" || mode == "bound") && session.is_root()) std::printf("%s\n", session.ranks_take_turns() ? "ranks take turns" : "a processor for each");
  if (mode == "abort" && session.rank() == 1) session.abort(42);
  if (mode == "unwind" && session.rank() == 1) throw std::runtime_error("lost");
  session.barrier();
  return 0;
}

[[noreturn]] void lose() { throw std::runtime_error("nobody catches this"); }

void uncaught() noexcept {  // an exception that leaves it ends in std::terminate
  const reckon::MpiSession session(reckon::MpiStart::always, false);
  if (session.rank() == 1) lose();
  session.barrier();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc == 2 ? argv[1] : "";
  if (mode == "uncaught") uncaught();
  try {
    return run(mode);
  } catch (const reckon::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
