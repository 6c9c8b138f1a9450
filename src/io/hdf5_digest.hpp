// The last line of a results file: a SHA-256 over all bytes before it; internal to src/io.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace reckon {

/// "\nreckon-sha256 <64 hexadecimal digits>\n": 80 bytes.
inline constexpr std::string_view digest_mark = "\nreckon-sha256 ";
inline constexpr std::size_t digest_line_size = digest_mark.size() + 64 + 1;

inline std::string digest_line(const std::string& hex) { return std::string(digest_mark) + hex + "\n"; }

}  // namespace reckon
