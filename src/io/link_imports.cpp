// Reads nccl-tests and OSU output.
// SPDX-License-Identifier: Apache-2.0
#include "io/link_imports.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "base/text.hpp"
#include "io/json.hpp"
#include "io/machine_calibration_names.hpp"

namespace reckon {
namespace {

constexpr std::int64_t most_ranks = 1 << 24;
constexpr double largest_size = 1e15, longest_us = 1e10;

struct ProgramName {
  const char* text;
  Collective collective;
};
/// Longer names first: "reduce_scatter" holds "reduce".
constexpr ProgramName nccl_programs[] = {
    {"reduce_scatter_perf", Collective::reduce_scatter}, {"all_reduce_perf", Collective::all_reduce},
    {"all_gather_perf", Collective::all_gather},         {"alltoall_perf", Collective::all_to_all},
    {"broadcast_perf", Collective::broadcast},           {"sendrecv_perf", Collective::point_to_point}};
constexpr ProgramName osu_titles[] = {{"Reduce_scatter", Collective::reduce_scatter},
                                      {"Allreduce", Collective::all_reduce},
                                      {"Allgather", Collective::all_gather},
                                      {"All-to-All", Collective::all_to_all},
                                      {"Alltoall", Collective::all_to_all},
                                      {"Broadcast", Collective::broadcast},
                                      {"Bcast", Collective::broadcast},
                                      {"Latency", Collective::point_to_point}};

template <std::size_t N>
std::optional<Collective> operation_in(const ProgramName (&names)[N], const std::string& text) {
  for (const ProgramName& name : names)
    if (text.find(name.text) != std::string::npos) return name.collective;
  return std::nullopt;
}

[[noreturn]] void fail_at(const std::string& file, std::size_t line, const std::string& reason, const std::string& cure = "") {
  throw ConfigError(file, line > 0 ? fmt::format("{}:1", line) : "", reason, cure);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out.push_back(text.substr(at, end - at));
    if (!out.back().empty() && out.back().back() == '\r') out.back().pop_back();
    at = end + 1;
  }
  return out;
}

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> out;
  for (std::size_t at = line.find_first_not_of(" \t"); at != std::string::npos;) {
    const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
    out.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(" \t", end);
  }
  return out;
}

/// A plain decimal number, which is all that these programs print.
double number_in(const std::string& word, const std::string& file, std::size_t line, double most) {
  char* end = nullptr;
  const double value = std::strtod(word.c_str(), &end);
  const bool plain = word.find_first_not_of("0123456789.+-eE") == std::string::npos;
  if (word.empty() || !plain || end != word.c_str() + word.size() || !(value >= 0 && value <= most))
    fail_at(file, line, "cannot use " + in_quotes(word), "a number from 0 on is expected here");
  return value;
}

Timed once(double microseconds_taken) {
  const Seconds t{microseconds_taken * 1e-6};
  return {.median = t, .low = t, .high = t, .count = 1, .stable = true};
}

void settle(ImportedLinks& out, std::optional<Collective> operation, std::int64_t ranks, const ImportHints& hints,
            const std::string& file) {
  if (hints.operation) operation = hints.operation;
  if (hints.ranks > 0) ranks = hints.ranks;
  if (!operation)
    throw ConfigError(file, "", "the file does not say which operation it measured", "give --operation, e.g. --operation all_reduce");
  if (ranks < 2) throw ConfigError(file, "", "the file does not say how many ranks took part", "give --ranks N");
  if (out.samples.empty()) throw ConfigError(file, "", "the file holds no measurement", "give the whole output of the program");
  for (LinkSample& s : out.samples) s.collective = *operation, s.ranks = operation == Collective::point_to_point ? 2 : ranks;
}

ImportedLinks import_nccl_text(const std::string& text, const std::string& file, const ImportHints& hints) {
  ImportedLinks out;
  out.program = "nccl-tests";
  std::optional<Collective> operation;
  std::int64_t ranks = 0;
  std::set<std::string> hosts;
  const std::vector<std::string> lines = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::vector<std::string> words = words_of(lines[i]);
    if (words.empty()) continue;
    if (words[0][0] == '#') {
      if (const auto found = operation_in(nccl_programs, lines[i])) operation = found;
      if (words.size() > 9 && words[1] == "Rank" && words[7] == "on") {
        ++ranks;
        hosts.insert(words[8]);
        const auto bracket = lines[i].find("] ");
        if (out.device.empty() && bracket != std::string::npos) out.device = lines[i].substr(bracket + 2);
      }
      continue;
    }
    if (words[0].find_first_not_of("0123456789") != std::string::npos) continue;  // warnings of libraries between the rows
    // size count type redop root | time algbw busbw #wrong | time algbw busbw #wrong; older versions have no root column
    const std::size_t first = words.size() >= 13 ? 5 : words.size() == 12 ? 4 : 0;
    if (first == 0)
      fail_at(file, i + 1, fmt::format("a row of {} columns", words.size()),
              "13 are expected: size count type redop root, and time algbw busbw #wrong twice");
    const double size = number_in(words[0], file, i + 1, largest_size);
    double fastest = 0;
    for (const std::size_t at : {first, first + 4}) {
      if (words[at + 3] != "N/A" && number_in(words[at + 3], file, i + 1, 1e18) > 0)
        fail_at(file, i + 1, "a row with wrong results", "measure again: this machine computes wrongly");
      const double time = number_in(words[at], file, i + 1, longest_us);
      if (time > 0 && (fastest == 0 || time < fastest)) fastest = time;
    }
    if (size > 0 && fastest > 0) out.samples.push_back({Collective::all_reduce, 2, Bytes{size}, once(fastest)});
  }
  out.hosts = std::int64_t(hosts.size());
  settle(out, operation, ranks, hints, file);
  return out;
}

ImportedLinks import_nccl_json(const JsonDocument& document, const std::string& file, const ImportHints& hints) {
  const JsonNode root = document.root();
  ImportedLinks out;
  out.program = "nccl-tests";
  std::optional<Collective> operation;
  std::int64_t ranks = 0;
  std::set<std::string> hosts;
  if (const auto arguments = root.find("args"))
    if (arguments->size() > 0) operation = operation_in(nccl_programs, arguments->items()[0].string());
  if (const auto config = root.find("config")) {
    ranks = config->at("nthreads", "a whole number").integer(1, most_ranks) * config->at("ngpus", "a whole number").integer(1, 1024);
    if (const auto devices = config->find("devices")) {
      ranks = std::max<std::int64_t>(ranks, std::int64_t(devices->size()));
      for (const JsonNode& d : devices->items()) {
        hosts.insert(d.at("hostname").string());
        if (out.device.empty()) out.device = d.at("device_info").string();
      }
    }
  }
  for (const JsonNode& row : root.at("results", "the table of results").items()) {
    const double size = row.at("size", "bytes").number(0, largest_size);
    double fastest = 0;
    for (const char* kind : {"out_of_place", "in_place"}) {
      const auto part = row.find(kind);
      if (!part || part->is_null()) continue;
      const JsonNode wrong = part->at("nwrong", "a number or null");
      if (wrong.is_number() && wrong.number(0, 1e18) > 0)
        wrong.fail("a row with wrong results", "measure again: this machine computes wrongly");
      const double time = part->at("time", "microseconds").number(0, longest_us);
      if (time > 0 && (fastest == 0 || time < fastest)) fastest = time;
    }
    if (size > 0 && fastest > 0) out.samples.push_back({Collective::all_reduce, 2, Bytes{size}, once(fastest)});
  }
  out.hosts = std::int64_t(hosts.size());
  settle(out, operation, ranks, hints, file);
  return out;
}

ImportedLinks import_osu(const std::string& text, const std::string& file, const ImportHints& hints) {
  ImportedLinks out;
  out.program = "OSU";
  std::optional<Collective> operation = hints.operation;
  const std::vector<std::string> lines = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::vector<std::string> words = words_of(lines[i]);
    if (words.empty()) continue;
    if (words[0][0] == '#') {
      if (lines[i].find("Bandwidth") != std::string::npos)
        fail_at(file, i + 1, "a bandwidth test, which keeps many messages under way", "give the output of osu_latency");
      if (!operation && lines[i].find("OSU") != std::string::npos) operation = operation_in(osu_titles, lines[i]);
      continue;
    }
    if (words[0].find_first_not_of("0123456789") != std::string::npos) continue;
    if (words.size() < 2) fail_at(file, i + 1, "a row of one column", "size and latency are expected");
    const double size = number_in(words[0], file, i + 1, largest_size), time = number_in(words[1], file, i + 1, longest_us);
    if (size > 0 && time > 0) out.samples.push_back({Collective::all_reduce, 2, Bytes{size}, once(time)});
  }
  settle(out, operation, operation == Collective::point_to_point ? 2 : 0, hints, file);
  for (LinkSample& s : out.samples)
    if (s.collective == Collective::all_gather || s.collective == Collective::all_to_all) s.size *= double(s.ranks);
  return out;
}

}  // namespace

ImportedLinks import_links(const std::string& text, const std::string& file, const ImportHints& hints) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) throw ConfigError(file, "", "the file is empty", "give the output of nccl-tests or of an OSU benchmark");
  if (text[first] == '{') return import_nccl_json(parse_json(text, file), file, hints);
  if (text.find("# OSU") != std::string::npos) return import_osu(text, file, hints);
  if (text.find("busbw") != std::string::npos || text.find("nThread") != std::string::npos) return import_nccl_text(text, file, hints);
  throw ConfigError(file, "", "neither output of nccl-tests nor of an OSU benchmark", "give the whole output, its lines with '#' included");
}

}  // namespace reckon
