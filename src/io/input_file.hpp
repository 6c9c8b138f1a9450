// Reads a whole input file, quickly refusing what is no regular file of sensible size.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>

#include "io/file_descriptor.hpp"

namespace reckon {

inline constexpr std::size_t largest_input = std::size_t{64} << 20;

/// The bytes of `path`.  Throws ConfigError (exit 2) when it is missing (naming the nearest file), unreadable, a folder, FIFO, device or
/// socket, or larger than `limit` bytes; never waits.
std::string read_input_file(const std::filesystem::path& path, std::size_t limit = largest_input);

/// `path` open for reading, without waiting.  Throws ConfigError when it cannot be opened, naming the nearest file when it is missing.
FileDescriptor open_input(const std::filesystem::path& path);

/// What a path that is no regular file is: "a folder", "a FIFO", ...
std::string kind_of_file(mode_t mode);

}  // namespace reckon
