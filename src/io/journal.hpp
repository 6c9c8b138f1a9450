// What is done of a long run, so that the same command goes on where it was stopped: one append-only file of JSON lines for each rank.
//
// Every line checks itself and is written by one write(2).  A torn last line is found, reported and cut off before anything is appended;
// it costs one piece of work and no more.  Nothing is acknowledged before fsync.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "io/file_descriptor.hpp"

namespace reckon {

/// Finished pieces by key, from all journals of a folder.
struct JournalRecords {
  std::map<std::string, std::string> values;
  std::int64_t files = 0, dropped = 0;  ///< torn or damaged lines, and what follows one in its file
};

/// Reads FOLDER/journal.*.jsonl; a missing folder is an empty journal.  Throws ConfigError when a journal is of another run than `run`,
/// InternalError when two lines of one key differ.
JournalRecords read_journals(const std::filesystem::path& folder, const std::string& run);

class JournalWriter {
 public:
  /// Appends to FOLDER/journal.NAME.jsonl, made if missing; a damaged tail is cut off.  Throws FileError.
  JournalWriter(const std::filesystem::path& folder, const std::string& name, const std::string& run);

  /// One finished piece.  Durable when sync() returned; appending syncs once a second.
  void append(const std::string& key, std::string_view value);
  void sync();

 private:
  std::filesystem::path path_;
  FileDescriptor file_{-1};
  std::chrono::steady_clock::time_point synced_;
};

/// Removes the journals and the folder, if nothing else is in it.
void remove_journals(const std::filesystem::path& folder);

}  // namespace reckon
