// A step that every rank takes on its own, and that fails on all of them when it fails on one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "runtime/mpi_session.hpp"

namespace reckon {

/// Calls `step` on every rank.  When it throws on some, all ranks throw an Error with the message and code of the first that failed: nobody
/// is left waiting in a collective.  Collective itself; `step` must not be.
void together(const MpiSession& session, const std::function<void()>& step);

}  // namespace reckon
