// Words for people beside the answer.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <string>

namespace reckon {

/// `text` on stderr.  A stderr that is closed or full changes neither answer nor exit code.
inline void say(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace reckon
