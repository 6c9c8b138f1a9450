// How fast a processor computes at this moment: what tells a slow kernel from a slow machine.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/quantity.hpp"

namespace reckon {

/// Processor time of this thread so far: it stands still while other programs have the processor.
Seconds processor_time();

/// Processor time that a fixed piece of arithmetic (a million multiply-adds on 256 bytes, about 0.1 ms) takes on this thread now: the median of
/// five, after a millisecond of the same, since a processor keeps the lower clock of wide vectors for a while after the last of them (measured on a
/// Xeon with AVX-512: the loop takes 15 % longer right after a product than a millisecond later, when it is back at its best).  It grows when something else has the other half of the
/// core or the clock falls; time in which other programs have the processor itself does not count.
Seconds pace_of_processor();

}  // namespace reckon
