// Reads a whole input file, quickly refusing what is no regular file of sensible size.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace reckon {

inline constexpr std::size_t largest_input = std::size_t{64} << 20;

/// The bytes of `path`.  Throws ConfigError (exit 2) when it is missing (naming the nearest file), unreadable, a folder, FIFO, device or
/// socket, or larger than `limit` bytes; never waits.
std::string read_input_file(const std::filesystem::path& path, std::size_t limit = largest_input);

}  // namespace reckon
