// Writes a file whole or not at all.
// SPDX-License-Identifier: Apache-2.0
#include "io/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"

namespace reckon {
namespace {

namespace fs = std::filesystem;

std::string error_text(int error) { return std::generic_category().message(error); }

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : fs::path("."); }

/// This host's name as part of a file name.
std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "host";
  std::string text(name.data());
  std::replace(text.begin(), text.end(), '/', '_');
  return text.empty() ? "host" : text;
}

std::string temporary_prefix(const fs::path& target) { return target.filename().string() + ".tmp." + host_name() + "."; }

/// A symbolic link is followed, so that the file it names is replaced and not the link.
fs::path resolved(const fs::path& target) {
  std::error_code error;
  if (!fs::is_symlink(target, error)) return target;
  const fs::path real = fs::canonical(target, error);
  if (error) throw UsageError("cannot write " + in_quotes(target.string()) + ": it is a link to nowhere", "remove the link or name another file");
  return real;
}

bool is_dead(long pid) { return pid > 0 && ::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH; }

/// Removes temporaries of this target left by processes of this host that are no more.
void sweep(const fs::path& target) {
  const std::string prefix = temporary_prefix(target);
  std::error_code error;
  std::vector<fs::path> stale;
  for (auto it = fs::directory_iterator(folder_of(target), error); !error && it != fs::directory_iterator(); it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    long pid = 0;
    const char *first = name.data() + prefix.size(), *last = name.data() + name.size();
    const auto [end, problem] = std::from_chars(first, last, pid);
    if (problem == std::errc() && end == last && is_dead(pid)) stale.push_back(it->path());
  }
  for (const fs::path& path : stale) ::unlink(path.c_str());
}

/// Writing past a file size limit then gives EFBIG instead of killing the process.
void ignore_size_signal() {
  struct sigaction now {};
  if (::sigaction(SIGXFSZ, nullptr, &now) != 0 || now.sa_handler != SIG_DFL) return;
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGXFSZ, &ignore, nullptr);
}

std::string cure_for(int error) {
  switch (error) {
    case ENOSPC: return "free space on the disk or name a file on another one";
    case EDQUOT: return "your quota is used up: free space or name a file elsewhere";
    case EFBIG: return "the file size limit is too small: see ulimit -f";
    case EACCES:
    case EPERM:
    case EROFS: return "name a file in a folder that you may write";
    case EIO: return "the disk reports a fault: write to another one";
    default: return "";
  }
}

}  // namespace

void check_target(const fs::path& target, bool overwrite) {
  const std::string name = in_quotes(target.string());
  if (target.filename().empty() || target.filename() == "." || target.filename() == "..") throw UsageError("cannot write " + name + ": this is not the name of a file");
  const fs::path folder = folder_of(target);
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0)
    throw UsageError(fmt::format("cannot write {}: its folder: {}", name, error_text(errno)), "create the folder first, or correct the name");
  if (!S_ISDIR(status.st_mode)) throw UsageError(fmt::format("cannot write {}: {} is not a folder", name, in_quotes(folder.string())));
  if (::lstat(target.c_str(), &status) == 0) {
    const bool file = S_ISREG(status.st_mode) || (S_ISLNK(status.st_mode) && fs::is_regular_file(target));
    if (!file) throw UsageError("cannot write " + name + ": it exists and is not a regular file");
    if (!overwrite) throw UsageError(name + " exists already", "give --force to replace it, or name another file");
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) throw FileError(target.string(), "cannot write into the folder: " + error_text(errno), cure_for(errno));
}

AtomicFile::AtomicFile(const fs::path& target, bool overwrite) : target_(target), overwrite_(overwrite), file_(-1) {
  check_target(target_, overwrite_);
  target_ = resolved(target_);
  ignore_size_signal();
  sweep(target_);
  temporary_ = folder_of(target_) / (temporary_prefix(target_) + std::to_string(::getpid()));
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY;
  int descriptor = ::open(temporary_.c_str(), flags, 0666);
  if (descriptor < 0 && errno == EEXIST) {  // left by an earlier process that had our process id, as happens in containers
    ::unlink(temporary_.c_str());
    descriptor = ::open(temporary_.c_str(), flags, 0666);
  }
  if (descriptor < 0) fail("create a temporary beside", errno, 0);
  created_ = true;
  file_ = FileDescriptor(descriptor);
}

AtomicFile::~AtomicFile() {
  if (created_) ::unlink(temporary_.c_str());
}

void AtomicFile::fail(const char* action, int error, std::uint64_t wanted) const {
  std::string reason = fmt::format("cannot {} the file: {}", action, error_text(error));
  struct statvfs space {};
  if (wanted > 0 && ::statvfs(folder_of(target_).c_str(), &space) == 0)
    reason += fmt::format(" ({} bytes wanted, {} bytes free)", wanted, std::uint64_t{space.f_bavail} * space.f_frsize);
  throw FileError(target_.string(), reason, cure_for(error));
}

void AtomicFile::write(std::string_view bytes) {
  digest_.update(bytes);
  size_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t done = ::write(file_.get(), bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail("write", errno, bytes.size());
    if (done == 0) fail("write", ENOSPC, bytes.size());
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
}

void AtomicFile::commit(const std::function<void(const fs::path&)>& verify) {
  expected_digest_ = digest_.hex();
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) fail("inspect", errno, 0);
  inode_ = status.st_ino;
  int rc = 0;
  while ((rc = ::fsync(file_.get())) != 0 && errno == EINTR) {}
  if (rc != 0) fail("make durable", errno, size_);
  if (file_.close() != 0 && errno != EINTR) fail("close", errno, size_);
  verify_content();
  if (verify) verify(temporary_);
  rename_to_target();
  created_ = false;
  sync_folder();
}

/// Reads the temporary back: some file systems report a failed write to nobody.
void AtomicFile::verify_content() const {
  const FileDescriptor file(::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) fail("read back", errno, 0);
  Sha256 found;
  std::vector<char> buffer(1 << 20);
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read back", errno, 0);
    if (got == 0) break;
    found.update({buffer.data(), static_cast<std::size_t>(got)});
  }
  if (found.hex() != expected_digest_) throw FileError(target_.string(), "the file reads back different from what was written", "the disk or file system loses data");
}

void AtomicFile::rename_to_target() {
  int rc = -1;
  if (!overwrite_) {
    rc = ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, target_.c_str(), RENAME_NOREPLACE);
    if (rc != 0 && errno != EINVAL && errno != ENOSYS) {
      if (errno == EEXIST) throw UsageError(in_quotes(target_.string()) + " exists already", "give --force to replace it, or name another file");
      fail("rename", errno, 0);
    }
  }
  if (rc != 0) rc = ::rename(temporary_.c_str(), target_.c_str());
  if (rc == 0) return;
  const int error = errno;
  // A network file system may repeat a rename that had worked, and report the second.
  struct stat status {};
  if (::stat(target_.c_str(), &status) == 0 && status.st_ino == inode_) return;
  fail("rename", error, 0);
}

void AtomicFile::sync_folder() const {
  const FileDescriptor folder(::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open()) return;  // a folder may be writable and not readable; the content itself is durable
  int rc = 0;
  while ((rc = ::fsync(folder.get())) != 0 && errno == EINTR) {}
  if (rc != 0 && errno != EINVAL && errno != ENOTSUP)
    throw FileError(target_.string(), "the new file is in place, but its folder could not be made durable: " + error_text(errno), cure_for(errno));
}

void write_file(const fs::path& target, std::string_view bytes, bool overwrite, const std::function<void(const fs::path&)>& verify) {
  AtomicFile file(target, overwrite);
  file.write(bytes);
  file.commit(verify);
}

}  // namespace reckon
