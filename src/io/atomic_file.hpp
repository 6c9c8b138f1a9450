// Writes a file so that at every moment, also under kill, power cut and full disk, its name holds the old content or the new, whole.
//
// The way: a temporary NAME.tmp.<host>.<pid> in the same folder, full writes, fsync, a checked close, reading it back, rename, fsync of the
// folder.  Every error removes the temporary.  Temporaries of processes of this host that are no more are swept.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "io/file_descriptor.hpp"
#include "io/sha256.hpp"

namespace reckon {

/// Refuses a target early, before hours of work: its folder is missing, it is no regular file, it exists and `overwrite` is false
/// (all UsageError), or the folder cannot be written (FileError).
void check_target(const std::filesystem::path& target, bool overwrite);

class AtomicFile {
 public:
  /// Checks the target as check_target does, sweeps, and creates the temporary.
  AtomicFile(const std::filesystem::path& target, bool overwrite);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  /// Without commit() nothing is left behind.
  ~AtomicFile();

  /// Appends `bytes`.  Throws FileError with path, errno text, bytes wanted and bytes free.
  void write(std::string_view bytes);

  /// Makes the content durable and gives it its name.  `verify` may look at the closed temporary and throw.  Throws FileError; the old
  /// file is then still there (unless only the last fsync of the folder failed, which the message says).
  void commit(const std::function<void(const std::filesystem::path& temporary)>& verify = {});

 private:
  void verify_content() const;
  void rename_to_target();
  void sync_folder() const;
  [[noreturn]] void fail(const char* action, int error, std::uint64_t wanted) const;

  std::filesystem::path target_, temporary_;
  bool overwrite_ = false, created_ = false;
  FileDescriptor file_;
  Sha256 digest_;
  std::string expected_digest_;
  std::uint64_t size_ = 0, inode_ = 0;
};

/// The whole of the above for one text.
void write_file(const std::filesystem::path& target, std::string_view bytes, bool overwrite,
                const std::function<void(const std::filesystem::path&)>& verify = {});

}  // namespace reckon
