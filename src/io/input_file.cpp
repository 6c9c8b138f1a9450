// Reads a whole input file.
// SPDX-License-Identifier: Apache-2.0
#include "io/input_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"

namespace reckon {
namespace {

/// "did you mean 'h100.json'?" from the names beside a missing file.
std::string neighbours(const std::filesystem::path& path) {
  std::vector<std::string> names;
  std::error_code ignored;
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  if (!std::filesystem::is_directory(folder, ignored)) return "the folder " + in_quotes(folder.string()) + " does not exist";
  constexpr std::size_t most_names = 1000;
  for (auto it = std::filesystem::directory_iterator(folder, ignored); !ignored && it != std::filesystem::directory_iterator() && names.size() < most_names; it.increment(ignored))
    names.push_back(it->path().filename().string());
  const std::string near = nearest_word(path.filename().string(), names);
  return near.empty() ? "" : "did you mean " + in_quotes((path.parent_path() / near).string()) + "?";
}

}  // namespace

std::string kind_of_file(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

FileDescriptor open_input(const std::filesystem::path& path) {
  const std::string name = path.string();
  if (name.empty()) throw ConfigError("''", "", "a file name is empty", "name a file");
  FileDescriptor file(::open(name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!file.is_open()) {
    const int error = errno;
    throw ConfigError(name, "", "cannot read the file: " + std::generic_category().message(error), error == ENOENT ? neighbours(path) : "");
  }
  return file;
}

std::string read_input_file(const std::filesystem::path& path, std::size_t limit) {
  const FileDescriptor file = open_input(path);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw ConfigError(path.string(), "", "cannot read the file: " + std::generic_category().message(errno));
  if (!S_ISREG(status.st_mode)) throw ConfigError(path.string(), "", "this is " + kind_of_file(status.st_mode) + ", not a file", "name a regular file");
  const auto too_large = [&] { return ConfigError(path.string(), "", fmt::format("the file is larger than {} MiB", limit >> 20), "split it, or check that it is the right file"); };
  if (static_cast<std::uintmax_t>(status.st_size) > limit) throw too_large();

  std::string text(static_cast<std::size_t>(status.st_size) + 1, '\0');  // one more, so that growth shows
  std::size_t used = 0;
  for (;;) {
    const ssize_t got = ::read(file.get(), text.data() + used, text.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw ConfigError(path.string(), "", "cannot read the file: " + std::generic_category().message(errno));
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
    if (used > limit) throw too_large();
    if (used == text.size()) text.resize(text.size() + 65536);
  }
  text.resize(used);
  return text;
}

}  // namespace reckon
