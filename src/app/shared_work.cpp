// SPDX-License-Identifier: Apache-2.0
#include "app/shared_work.hpp"

#include <exception>
#include <optional>

#include "runtime/work_queue.hpp"

namespace reckon {

void share_work(const MpiSession& session, std::int64_t total, const StopWatch& stop,
                const std::function<void(std::int64_t, const std::function<bool()>&)>& work) {
  WorkQueue queue(session, total);
  const std::function<bool()> go_on = [&] {
    queue.serve();
    return !stop.requested();
  };
  std::exception_ptr failure;  // the others wait for answers: leave the queue first
  while (const std::optional<std::int64_t> number = queue.next()) {
    if (stop.requested() || failure) {
      queue.close();
      continue;
    }
    try {
      work(*number, go_on);
    } catch (...) {
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace reckon
