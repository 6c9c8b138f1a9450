// One unit mistake a case; see CMakeLists.txt.
// SPDX-License-Identifier: Apache-2.0
#include "base/quantity.hpp"

namespace reckon {

Seconds right(Bytes size, BytesPerSecond bandwidth) { return size / bandwidth; }

#if defined(CASE_SECONDS_PLUS_BYTES)
auto wrong(Seconds t, Bytes b) { return t + b; }
#elif defined(CASE_RATE_FOR_TIME)
Seconds wrong(Flops f, BytesPerSecond r) { return f / r; }
#elif defined(CASE_BYTES_FOR_RATE)
Seconds wrong(Bytes b) { return right(b, b); }
#elif defined(CASE_BARE_NUMBER)
Seconds wrong() { return 3.0; }
#elif defined(CASE_MONEY_TIMES_MONEY)
Dollars wrong(Dollars a, Dollars b) { return a * b; }
#endif

}  // namespace reckon
