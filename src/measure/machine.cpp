// SPDX-License-Identifier: Apache-2.0
#include "measure/machine.hpp"

#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>

namespace reckon::measure {
namespace {

/// The value behind `key` in a text of "key : value" lines; empty when there is none.
std::string value_in(const char* file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.compare(0, key.size(), key) != 0) continue;
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    const auto first = line.find_first_not_of(" \t", colon + 1);
    if (first != std::string::npos) return line.substr(first);
  }
  return {};
}

}  // namespace

Machine this_machine() {
  Machine m;
  m.processor = value_in("/proc/cpuinfo", "model name");
  if (m.processor.empty()) m.processor = "unknown processor";
  m.clock = Hertz{1e6 * std::strtod(value_in("/proc/cpuinfo", "cpu MHz").c_str(), nullptr)};
  m.memory = Bytes{double(::sysconf(_SC_PHYS_PAGES)) * double(::sysconf(_SC_PAGESIZE))};
  const long cache = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
  m.cache = Bytes{cache > 0 ? double(cache) : 0.0};
  return m;
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

}  // namespace reckon::measure
