// SPDX-License-Identifier: Apache-2.0
#include "io/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "io/json.hpp"
#include "io/sha256.hpp"

namespace fs = std::filesystem;

namespace reckon {
namespace {

constexpr const char* schema = "reckon/journal/1";
constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 of RFC 4648 with padding.
std::string to_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = std::min<std::size_t>(3, bytes.size() - i);
    unsigned group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < left ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += k <= left ? digits[group >> (18 - 6 * k) & 63U] : '=';
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    unsigned group = 0;
    int bytes = 3;
    for (std::size_t k = 0; k < 4; ++k) {
      const char c = text[i + k];
      if (c == '=' && i + 4 == text.size() && k >= 2) {
        group <<= 6;
        --bytes;
        continue;
      }
      const std::size_t digit = digits.find(c);
      if (digit == std::string_view::npos || bytes < 3) return std::nullopt;
      group = group << 6 | static_cast<unsigned>(digit);
    }
    for (int k = 0; k < bytes; ++k) out += static_cast<char>(group >> (16 - 8 * k) & 255U);
  }
  return out;
}

std::string check_of(std::string_view key, std::string_view value) {
  return sha256("reckon journal\n" + std::string(key) + "\n" + std::string(value)).substr(0, 16);
}

std::string header_line(const std::string& run) { return fmt::format("{{\"journal\":\"{}\",\"run\":\"{}\",\"c\":\"{}\"}}\n", schema, run, check_of(schema, run)); }

struct Record {
  std::string key, value;
};

/// One line without its end; nothing when it is damaged.
std::optional<Record> record_of(const std::string& line, const char* key_name, const char* value_name) {
  try {
    const JsonDocument document = parse_json(line, "journal");
    const JsonNode root = document.root();
    Record out{root.at(key_name).string(), root.at(value_name).string()};
    if (root.at("c").string() != check_of(out.key, out.value)) return std::nullopt;
    return out;
  } catch (const Error&) {
    return std::nullopt;
  }
}

struct Journal {
  std::vector<Record> records;
  std::size_t sound = 0;  ///< bytes up to the first damaged line
  std::int64_t dropped = 0;
};

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

Journal read_journal(const fs::path& path, const std::string& run) {
  Journal out;
  const std::string text = content_of(path);
  bool first = true;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end == std::string::npos ? end : end - at);
    std::optional<Record> record;
    if (end != std::string::npos) record = first ? record_of(line, "journal", "run") : record_of(line, "k", "v");
    if (record && first && (record->key != schema || record->value != run))
      throw ConfigError(path.string(), "", "this journal is of another run: other inputs, other options or another version",
                        "finish that run with its own command, or start afresh with --force");
    if (!record) {
      out.dropped = 1 + std::count(text.begin() + static_cast<std::ptrdiff_t>(at), text.end() - 1, '\n');
      return out;
    }
    if (!first) out.records.push_back(std::move(*record));
    first = false;
    at = out.sound = end + 1;
  }
  return out;
}

[[noreturn]] void fail(const fs::path& path, const char* action) { throw FileError(path.string(), fmt::format("cannot {}: {}", action, std::strerror(errno))); }

bool is_journal(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.rfind("journal.", 0) == 0 && path.extension() == ".jsonl";
}

std::vector<fs::path> journals_in(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error))
    if (is_journal(entry.path())) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

void write_whole(int file, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path, "append to the journal");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

JournalRecords read_journals(const fs::path& folder, const std::string& run) {
  JournalRecords out;
  for (const fs::path& path : journals_in(folder)) {
    const Journal journal = read_journal(path, run);
    ++out.files;
    out.dropped += journal.dropped;
    for (const Record& record : journal.records) {
      const std::optional<std::string> value = from_base64(record.value);
      if (!value) throw InternalError("a journal line that checks itself cannot be read: " + path.string());
      const auto [at, fresh] = out.values.emplace(record.key, *value);
      if (!fresh && at->second != *value) throw InternalError("two journals disagree on " + record.key);
    }
  }
  return out;
}

JournalWriter::JournalWriter(const fs::path& folder, const std::string& name, const std::string& run) : path_(folder / ("journal." + name + ".jsonl")) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw FileError(folder.string(), "cannot make the folder: " + error.message());
  const std::size_t sound = read_journal(path_, run).sound;
  file_ = FileDescriptor(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (!file_.is_open()) fail(path_, "open the journal");
  if (::ftruncate(file_.get(), static_cast<off_t>(sound)) != 0) fail(path_, "cut off a torn line");
  if (sound == 0) write_whole(file_.get(), header_line(run), path_);
  sync();
  const FileDescriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.is_open()) ::fsync(directory.get());  // the name of a new journal
}

void JournalWriter::append(const std::string& key, std::string_view value) {
  const std::string text = to_base64(value);
  write_whole(file_.get(), fmt::format("{{\"k\":\"{}\",\"v\":\"{}\",\"c\":\"{}\"}}\n", key, text, check_of(key, text)), path_);
  if (std::chrono::steady_clock::now() - synced_ > std::chrono::seconds(1)) sync();
}

void JournalWriter::sync() {
  if (::fsync(file_.get()) != 0) fail(path_, "make the journal durable");
  synced_ = std::chrono::steady_clock::now();
}

void remove_journals(const fs::path& folder) {
  std::error_code error;
  for (const fs::path& path : journals_in(folder)) fs::remove(path, error);
  fs::remove(folder, error);
}

}  // namespace reckon
