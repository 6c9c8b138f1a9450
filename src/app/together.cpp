// SPDX-License-Identifier: Apache-2.0
#include "app/together.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <new>
#include <string>

#include "base/error.hpp"

namespace reckon {
namespace {

struct Failure {
  int code = 0;
  std::string message;
};

Failure failure_of(const std::function<void()>& step) {
  try {
    step();
    return {};
  } catch (const Error& error) {
    return {error.exit_code(), error.what()};
  } catch (const std::bad_alloc&) {
    return {static_cast<int>(ExitCode::internal), "out of memory"};
  } catch (const std::exception& error) {
    return {static_cast<int>(ExitCode::internal), std::string("internal error: ") + error.what()};
  }
}

}  // namespace

void together(const MpiSession& session, const std::function<void()>& step) {
  if (session.size() == 1) return step();
  const Failure own = failure_of(step);
  // All ranks know whether somebody failed; who it was matters only then.
  if (session.all_reduce_max(own.code) == 0) return;
  const int first = session.size() - session.all_reduce_max(own.code == 0 ? 0 : session.size() - session.rank());
  std::string text = fmt::format("{:03}{}", own.code, own.message);
  session.broadcast(text, first);
  const std::string where = first == 0 ? "" : fmt::format("rank {}: ", first);
  throw Error(static_cast<ExitCode>(std::atoi(text.substr(0, 3).c_str())), where + text.substr(3));
}

}  // namespace reckon
