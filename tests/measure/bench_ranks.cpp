// Two ranks measure together: what they wait for counts, and both say the same.
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdio>
#include <thread>

#include "measure/bench.hpp"
#include "runtime/mpi_session.hpp"

int main() {
  using namespace reckon;
  const MpiSession session(MpiStart::always, false);
  measure::Rules rules;
  rules.at_most = Seconds{0.1};
  const measure::Bench bench(Backend::cpu, Communicator::world(), rules);
  const int milliseconds = 1 + 3 * session.rank();
  const Timed time = bench.time([&](int) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); });
  const double least = 1e-3 * (1 + 3 * (session.size() - 1)), own = time.median.base();
  if (session.is_root()) std::printf("the slowest of %d ranks takes %.4f s\n", session.size(), own);
  const bool alike = session.all_reduce_max(own) == own;
  return session.all_reduce_max(alike && own >= least ? 0 : 1);
}
