// Runs the HDF5 reader in a child process with limits.
// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_read.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <system_error>

#include "base/error.hpp"
#include "base/text.hpp"
#include "io/file_descriptor.hpp"
#include "io/hdf5_digest.hpp"
#include "io/hdf5_message.hpp"
#include "io/input_file.hpp"
#include "io/sha256.hpp"

namespace reckon {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char content_mark = 'C', error_mark = 'E';

std::string error_text(int error) { return std::generic_category().message(error); }

/// Opens the file and refuses what is no regular file of sensible size.
FileDescriptor open_results(const std::filesystem::path& path, const Hdf5Limits& limits, std::uint64_t& size) {
  FileDescriptor file = open_input(path);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw ConfigError(path.string(), "", "cannot read the file: " + error_text(errno));
  if (!S_ISREG(status.st_mode)) throw ConfigError(path.string(), "", "this is " + kind_of_file(status.st_mode) + ", not a regular file", "name a results file");
  size = static_cast<std::uint64_t>(status.st_size);
  if (size > limits.file_bytes) throw ConfigError(path.string(), "", fmt::format("the file is larger than {} MiB", limits.file_bytes >> 20));
  return file;
}

/// Reads `size` bytes from the start, gives all but the last line to the digest, and returns whether that line holds it.
bool digest_matches(int file, std::uint64_t size, const std::string& name) {
  if (size <= digest_line_size) return false;
  Sha256 digest;
  std::vector<char> buffer(1 << 20);
  for (std::uint64_t at = 0, end = size - digest_line_size; at < end;) {
    const ssize_t got = ::pread(file, buffer.data(), std::min<std::uint64_t>(buffer.size(), end - at), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw ConfigError(name, "", "cannot read the file: " + error_text(errno));
    if (got == 0) return false;
    digest.update({buffer.data(), static_cast<std::size_t>(got)});
    at += static_cast<std::uint64_t>(got);
  }
  std::string line(digest_line_size, '\0');
  const ssize_t got = ::pread(file, line.data(), line.size(), static_cast<off_t>(size - digest_line_size));
  return got == static_cast<ssize_t>(line.size()) && line == digest_line(digest.hex());
}

/// Address space in use, from /proc/self/statm (pages).
std::uint64_t address_space() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t pages = 0;
  statm >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void limit(int resource, std::uint64_t value) {
  const rlimit both{value, value};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

void send_all(int pipe, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(pipe, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) ::_exit(1);
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
}

/// The child: limits itself, reads, sends one message, and leaves without running anybody's exit handlers.
[[noreturn]] void child(int pipe, int file, const std::string& name, const Hdf5Limits& limits) {
  for (const int number : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU, SIGTERM, SIGPIPE}) ::signal(number, SIG_DFL);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  ::dup2(nowhere, STDOUT_FILENO);  // the last words of a crash are not for the user
  ::dup2(nowhere, STDERR_FILENO);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, limits.seconds);
#ifndef __SANITIZE_ADDRESS__  // the sanitizer reserves terabytes
  limit(RLIMIT_AS, address_space() + limits.memory_bytes);
#endif
  std::string message;
  try {
    message = content_mark + encode(scan_hdf5(fmt::format("/proc/self/fd/{}", file), name, limits));
  } catch (const ConfigError& error) {
    message = error_mark + error.place() + '\0' + error.reason();
  } catch (const std::bad_alloc&) {
    message = error_mark + std::string(1, '\0') + "reading it takes more memory than is allowed";
  } catch (const std::exception& error) {
    const std::string text = error.what();
    message = error_mark + std::string(1, '\0') + text.substr(0, text.find('\n'));
  }
  send_all(pipe, message);
  ::_exit(0);
}

/// Everything the child sends until it ends or `deadline` passes.
std::string receive(int pipe, Clock::time_point deadline, std::uint64_t most_bytes, bool& late) {
  std::string message;
  std::vector<char> buffer(1 << 20);
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    late = left <= 0;
    if (late) return message;
    pollfd wait{pipe, POLLIN, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(left));
    if (ready < 0 && errno != EINTR) return message;
    if (ready <= 0) continue;
    const ssize_t got = ::read(pipe, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return message;
    message.append(buffer.data(), static_cast<std::size_t>(got));
    if (message.size() > most_bytes) return {};
  }
}

struct Answer {
  std::string message;
  bool late = false;
  int status = 0;
};

Answer ask_child(int file, const std::string& name, const Hdf5Limits& limits) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw InternalError("cannot make a pipe: " + error_text(errno));
  const FileDescriptor from(ends[0]);
  FileDescriptor to(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) throw InternalError("cannot start a process: " + error_text(errno));
  if (pid == 0) child(to.get(), file, name, limits);
  to.close();
  Answer answer;
  answer.message = receive(from.get(), Clock::now() + std::chrono::milliseconds(1500) * limits.seconds, limits.memory_bytes, answer.late);
  if (answer.late) ::kill(pid, SIGKILL);
  while (::waitpid(pid, &answer.status, 0) < 0 && errno == EINTR) {}
  return answer;
}

bool starts_with_brace(int file) {
  char first = 0;
  return ::pread(file, &first, 1, 0) == 1 && first == '{';
}

}  // namespace

Hdf5Contents read_hdf5(const std::filesystem::path& path, const Hdf5Limits& limits) {
  const std::string name = path.string();
  std::uint64_t size = 0;
  const FileDescriptor file = open_results(path, limits, size);
  if (starts_with_brace(file.get()))
    throw ConfigError(name, "", "the file is JSON, an answer for other programs, and no results file",
                      "give the file that 'reckon plan ... --out FILE.h5' wrote; explore and predict name device, devices and strategy for that plan");
  if (limits.need_digest && !digest_matches(file.get(), size, name))
    throw ConfigError(name, "", "the file is damaged, was changed since it was written, or was not written by reckon", "take another copy, or make it again");

  const Answer answer = ask_child(file.get(), name, limits);
  const auto damaged = [&](const std::string& why) { return ConfigError(name, "", "the file is damaged (" + why + ")", "take another copy, or make it again"); };
  if (answer.late || (WIFSIGNALED(answer.status) && WTERMSIG(answer.status) == SIGXCPU)) throw damaged("the reader does not end");
  if (WIFSIGNALED(answer.status)) throw damaged(fmt::format("the reader crashed with signal {}", WTERMSIG(answer.status)));
  if (WEXITSTATUS(answer.status) != 0 || answer.message.empty()) throw damaged("the reader gave no answer");
  const std::string_view body = std::string_view(answer.message).substr(1);
  if (answer.message[0] == error_mark) {
    const auto cut = body.find('\0');
    throw ConfigError(name, std::string(body.substr(0, cut)), cut == std::string_view::npos ? "unreadable" : printable(body.substr(cut + 1), 400), "take another copy, or make it again");
  }
  try {
    return decode(body);
  } catch (const std::runtime_error& error) {
    throw damaged(error.what());
  }
}

const Hdf5Dataset* Hdf5Contents::find(const std::string& path) const {
  const auto found = std::find_if(datasets.begin(), datasets.end(), [&](const Hdf5Dataset& set) { return set.path == path; });
  return found == datasets.end() ? nullptr : &*found;
}

namespace {

template <class T>
const std::vector<T>& values_of(const Hdf5Dataset& set, const char* kind) {
  if (const auto* values = std::get_if<std::vector<T>>(&set.values)) return *values;
  throw ConfigError(set.path, "", std::string("the dataset does not hold ") + kind);
}

}  // namespace

const std::vector<double>& Hdf5Dataset::doubles() const { return values_of<double>(*this, "doubles"); }
const std::vector<std::int64_t>& Hdf5Dataset::integers() const { return values_of<std::int64_t>(*this, "integers"); }
const std::vector<std::string>& Hdf5Dataset::texts() const { return values_of<std::string>(*this, "texts"); }

}  // namespace reckon
