// SPDX-License-Identifier: Apache-2.0
#include "io/checkpoint_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/error.hpp"
#include "io/atomic_file.hpp"
#include "io/input_file.hpp"
#include "io/json.hpp"

namespace reckon {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::string_view magic = "reckon/checkpoint/1\n";
constexpr std::size_t length_digits = 16;
constexpr std::string_view step_prefix = "step-";

fs::path step_folder(const fs::path& folder, std::int64_t step) { return folder / fmt::format("{}{:08}", step_prefix, step); }
fs::path shard_path(const fs::path& folder, std::int64_t step, int rank) {
  return step_folder(folder, step) / fmt::format("rank-{:05}.shard", rank);
}

/// FNV-1a over words of 8 bytes: finds damage, at memory speed.
std::string digest_of(const void* data, std::size_t size) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto* bytes = static_cast<const unsigned char*>(data);
  std::size_t at = 0;
  for (; at + 8 <= size; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes + at, 8);
    hash = (hash ^ word) * 0x100000001b3u;
    hash ^= hash >> 29;
  }
  for (; at < size; ++at) hash = (hash ^ bytes[at]) * 0x100000001b3u;
  return fmt::format("{:016x}", hash);
}

Json facts_json(const CheckpointFacts& facts) {
  Json out = Json::object();
  for (const auto& [name, value] : facts) out[name] = value;
  return out;
}

void make_folders(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw FileError(folder.string(), "cannot make the folder: " + error.message(), "choose another --checkpoint folder");
}

/// The steps that have folders, whole or not, ascending.
std::vector<std::int64_t> steps_in(const fs::path& folder) {
  std::vector<std::int64_t> out;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    const std::string digits = name.substr(std::min(name.size(), step_prefix.size()));
    if (!name.starts_with(step_prefix) || digits.empty() || digits.size() > 15 ||
        !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }))
      continue;
    out.push_back(std::stoll(digits));
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool is_whole(const fs::path& folder, std::int64_t step) {
  std::error_code ignored;
  return fs::exists(step_folder(folder, step) / "complete.json", ignored);
}

[[noreturn]] void damaged(const fs::path& path, const std::string& reason) {
  throw ConfigError(path.string(), "", "the checkpoint is damaged: " + reason,
                    "remove its step folder: training goes on from the one before");
}

/// Exactly `size` bytes at `offset`.
void read_exactly(const FileDescriptor& file, const fs::path& path, void* to, std::size_t size, std::size_t offset) {
  for (std::size_t done = 0; done < size;) {
    const ssize_t got = ::pread(file.get(), static_cast<char*>(to) + done, std::min<std::size_t>(size - done, std::size_t{1} << 30),
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw ConfigError(path.string(), "", "cannot be read: " + std::generic_category().message(errno));
    if (got == 0) damaged(path, "it ends early");
    done += static_cast<std::size_t>(got);
  }
}

struct Header {
  JsonDocument document;
  std::size_t payload;
};

Header read_header(const FileDescriptor& file, const fs::path& path) {
  std::string start(magic.size() + length_digits + 1, '\0');
  read_exactly(file, path, start.data(), start.size(), 0);
  if (!start.starts_with(magic))
    throw ConfigError(path.string(), "", "is no checkpoint of this version of reckon", "remove it, or give another --checkpoint folder");
  std::size_t length = 0;
  for (const char c : start.substr(magic.size(), length_digits)) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && !(c >= 'a' && c <= 'f')) damaged(path, "its header has no length");
    length = length * 16 + std::size_t(digit ? c - '0' : c - 'a' + 10);
  }
  if (length > largest_input) damaged(path, "its header is too long");
  std::string text(length, '\0');
  read_exactly(file, path, text.data(), length, start.size());
  return {parse_json(std::move(text), path.string()), start.size() + length};
}

}  // namespace

void write_shard(const fs::path& folder, std::int64_t step, int rank, const CheckpointFacts& facts,
                 const std::vector<train::StatePiece>& pieces, const std::vector<train::ParameterPlace>& places) {
  make_folders(step_folder(folder, step));
  Json header{{"step", step}, {"rank", rank}, {"facts", facts_json(facts)}, {"pieces", Json::array()}, {"parameters", Json::array()}};
  std::size_t offset = 0;
  for (const train::StatePiece& piece : pieces) {
    header["pieces"].push_back(
        {{"name", piece.name}, {"offset", offset}, {"size", piece.size}, {"digest", digest_of(piece.data, piece.size)}});
    offset += piece.size;
  }
  for (const train::ParameterPlace& p : places) {
    header["parameters"].push_back({{"unit", p.unit},
                                    {"name", p.name},
                                    {"offset", p.offset},
                                    {"rows", p.rows},
                                    {"columns", p.columns},
                                    {"row", p.row},
                                    {"column", p.column},
                                    {"owned_first", p.owned_first},
                                    {"owned_count", p.owned_count}});
  }
  const std::string text = dump_json(header);
  AtomicFile file(shard_path(folder, step, rank), true);
  file.write(magic);
  file.write(fmt::format("{:016x}\n", text.size()));
  file.write(text);
  for (const train::StatePiece& piece : pieces) file.write({static_cast<const char*>(piece.data), piece.size});
  file.commit();
}

void complete_checkpoint(const fs::path& folder, std::int64_t step, int ranks, const CheckpointFacts& facts, std::int64_t keep) {
  write_file(step_folder(folder, step) / "complete.json",
             dump_json(Json{{"schema", "reckon/checkpoint/1"}, {"step", step}, {"ranks", ranks}, {"facts", facts_json(facts)}}), true);
  std::vector<std::int64_t> whole;
  for (const std::int64_t other : steps_in(folder)) {
    if (is_whole(folder, other)) whole.push_back(other);
  }
  for (const std::int64_t other : steps_in(folder)) {
    const auto newer = std::count_if(whole.begin(), whole.end(), [&](std::int64_t w) { return w > other; });
    if (newer < keep || other >= step) continue;
    std::error_code ignored;  // the word that it is whole goes first: a kill in between leaves no half step that counts
    fs::remove(step_folder(folder, other) / "complete.json", ignored);
    fs::remove_all(step_folder(folder, other), ignored);
  }
}

std::optional<std::int64_t> newest_checkpoint(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(folder, ignored)) return {};
  if (!fs::is_directory(folder, ignored)) throw ConfigError(folder.string(), "", "is no folder", "give --checkpoint a folder");
  const std::vector<std::int64_t> steps = steps_in(folder);
  for (auto at = steps.rbegin(); at != steps.rend(); ++at) {
    if (is_whole(folder, *at)) return *at;
  }
  return {};
}

void read_shard(const fs::path& folder, std::int64_t step, int rank, const CheckpointFacts& facts,
                const std::vector<train::StatePiece>& pieces) {
  // The facts of the whole first: a run with fewer ranks would not notice by its own shard, one with more would find none.
  const JsonDocument complete = read_json(step_folder(folder, step) / "complete.json");
  const fs::path path = shard_path(folder, step, rank);
  const auto compare = [&](const JsonNode& found) {
    for (const auto& [name, value] : facts) {
      const std::string theirs = found.at(name).string();
      if (theirs != value) {
        throw ConfigError(step_folder(folder, step).string(), "",
                          fmt::format("the checkpoint is of another run: its {} is {}, here it is {}", name, theirs, value),
                          "give the options of that run, or another --checkpoint folder");
      }
    }
  };
  compare(complete.root().at("facts"));
  const FileDescriptor file = open_input(path);
  const Header header = read_header(file, path);
  compare(header.document.root().at("facts"));
  const std::vector<JsonNode> listed = header.document.root().at("pieces").items();
  if (listed.size() != pieces.size()) damaged(path, fmt::format("it has {} pieces, not {}", listed.size(), pieces.size()));
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (listed[i].at("name").string() != pieces[i].name ||
        std::size_t(listed[i].at("size").integer(0, std::int64_t{1} << 50)) != pieces[i].size)
      damaged(path, "its piece " + pieces[i].name + " is missing or of another size");
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    read_exactly(file, path, pieces[i].data, pieces[i].size,
                 header.payload + std::size_t(listed[i].at("offset").integer(0, std::int64_t{1} << 50)));
    if (digest_of(pieces[i].data, pieces[i].size) != listed[i].at("digest").string())
      damaged(path, "the digest of " + pieces[i].name + " differs");
  }
}

}  // namespace reckon
