// The units that the quantity grammar knows.
// SPDX-License-Identifier: Apache-2.0
#include "base/unit_table.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace reckon::detail {
namespace {

struct Prefix {
  std::string_view symbol;
  double times, over;
};
constexpr std::array<Prefix, 18> prefixes{{{"", 1, 1},      {"n", 1, 1e9},  {"u", 1, 1e6},  {"\u00b5", 1, 1e6}, {"\u03bc", 1, 1e6},
                                           {"m", 1, 1e3},   {"k", 1e3, 1},  {"M", 1e6, 1},  {"G", 1e9, 1},      {"T", 1e12, 1},
                                           {"P", 1e15, 1},  {"E", 1e18, 1}, {"Z", 1e21, 1}, {"Y", 1e24, 1},     {"Ki", 0x1p10, 1},
                                           {"Mi", 0x1p20, 1}, {"Gi", 0x1p30, 1}, {"Ti", 0x1p40, 1}}};

/// Which prefixes a unit takes: what people write, so that mW for MW or a kilominute is refused.
constexpr std::string_view none = ",,", small = ",,n,u,\u00b5,\u03bc,m,", decimal = ",,k,M,G,T,P,E,", decimal_and_binary = ",,k,M,G,T,P,E,Ki,Mi,Gi,Ti,",
                           large = ",,k,M,G,T,P,E,Z,Y,", counted = ",,k,M,G,B,T,";

struct Symbol {
  std::string_view name;
  double times, over;
  Dimension dimension;
  std::string_view prefixes;
  std::string_view meaning;  ///< shown when the spelling is in doubt
  int devices = 0;
};

constexpr Dimension time_{.time = 1}, data_{.data = 1}, work_{.work = 1}, token_{.token = 1}, money_{.money = 1}, energy_{.energy = 1},
    data_rate{.time = -1, .data = 1}, power_{.time = -1, .energy = 1}, frequency{.time = -1};

constexpr std::array symbols{
    Symbol{"s", 1, 1, time_, small, "seconds"},
    Symbol{"sec", 1, 1, time_, none, "seconds"},
    Symbol{"second", 1, 1, time_, none, "seconds"},
    Symbol{"seconds", 1, 1, time_, none, "seconds"},
    Symbol{"min", 60, 1, time_, none, "minutes"},
    Symbol{"minute", 60, 1, time_, none, "minutes"},
    Symbol{"minutes", 60, 1, time_, none, "minutes"},
    Symbol{"h", 3600, 1, time_, none, "hours"},
    Symbol{"hr", 3600, 1, time_, none, "hours"},
    Symbol{"hour", 3600, 1, time_, none, "hours"},
    Symbol{"hours", 3600, 1, time_, none, "hours"},
    Symbol{"d", 86400, 1, time_, none, "days"},
    Symbol{"day", 86400, 1, time_, none, "days"},
    Symbol{"days", 86400, 1, time_, none, "days"},
    Symbol{"week", 604800, 1, time_, none, "weeks"},
    Symbol{"weeks", 604800, 1, time_, none, "weeks"},
    Symbol{"month", 730.0 * 3600, 1, time_, none, "months of 730 h"},
    Symbol{"months", 730.0 * 3600, 1, time_, none, "months of 730 h"},
    Symbol{"year", 8760.0 * 3600, 1, time_, none, "years of 8760 h"},
    Symbol{"years", 8760.0 * 3600, 1, time_, none, "years of 8760 h"},
    Symbol{"B", 1, 1, data_, decimal_and_binary, "bytes"},
    Symbol{"byte", 1, 1, data_, decimal_and_binary, "bytes"},
    Symbol{"bytes", 1, 1, data_, decimal_and_binary, "bytes"},
    Symbol{"b", 1, 8, data_, decimal_and_binary, "bits"},
    Symbol{"bit", 1, 8, data_, decimal_and_binary, "bits"},
    Symbol{"bits", 1, 8, data_, decimal_and_binary, "bits"},
    Symbol{"Bps", 1, 1, data_rate, decimal_and_binary, "bytes per second"},
    Symbol{"bps", 1, 8, data_rate, decimal_and_binary, "bits per second"},
    Symbol{"FLOP", 1, 1, work_, large, "work"},
    Symbol{"flop", 1, 1, work_, large, "work"},
    Symbol{"token", 1, 1, token_, counted, "tokens"},
    Symbol{"tokens", 1, 1, token_, counted, "tokens"},
    Symbol{"tok", 1, 1, token_, counted, "tokens"},
    Symbol{"$", 1, 1, money_, none, "US dollars"},
    Symbol{"USD", 1, 1, money_, none, "US dollars"},
    Symbol{"J", 1, 1, energy_, decimal, "joules"},
    Symbol{"Wh", 3600, 1, energy_, decimal, "watt-hours"},
    Symbol{"W", 1, 1, power_, decimal, "watts"},
    Symbol{"Hz", 1, 1, frequency, decimal, "per second"},
    Symbol{"GPU", 1, 1, {}, none, "device", 1},
    Symbol{"gpu", 1, 1, {}, none, "device", 1},
    Symbol{"device", 1, 1, {}, none, "device", 1},
    Symbol{"chip", 1, 1, {}, none, "device", 1},
};

struct Scale {
  std::string_view name;
  double value;
};
constexpr std::array<Scale, 9> scales{{{"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"B", 1e9}, {"T", 1e12}, {"thousand", 1e3}, {"million", 1e6}, {"billion", 1e9}, {"trillion", 1e12}}};

constexpr std::array<std::string_view, 30> count_nouns{"param",  "params",   "parameter", "parameters", "GPU",       "GPUs",  "gpu",    "gpus",  "device", "devices",
                                                       "chip",   "chips",    "node",      "nodes",      "token",     "tokens", "sample", "samples", "sequence", "sequences",
                                                       "image",  "images",   "step",      "steps",      "rank",      "ranks", "layer",  "layers", "plan",  "plans"};

bool takes(const Symbol& symbol, std::string_view prefix) {
  if (prefix.size() > 2) return false;
  for (std::string_view rest = symbol.prefixes.substr(1); !rest.empty();) {  // each prefix ends in a comma
    const auto comma = rest.find(',');
    if (rest.substr(0, comma) == prefix) return true;
    rest.remove_prefix(comma + 1);
  }
  return false;
}

Unit scaled(const Symbol& symbol, double times, double over) {
  return {symbol.times * times, symbol.over * over, symbol.dimension, symbol.devices};
}

}  // namespace

std::optional<Unit> find_unit(std::string_view word) {
  for (const Symbol& symbol : symbols) {
    if (!word.ends_with(symbol.name)) continue;
    const std::string_view prefix = word.substr(0, word.size() - symbol.name.size());
    if (!takes(symbol, prefix)) continue;
    if (symbol.dimension == token_ && prefix == "B") return scaled(symbol, 1e9, 1);
    for (const Prefix& p : prefixes)
      if (p.symbol == prefix) return scaled(symbol, p.times, p.over);
  }
  return {};
}

std::vector<std::string> unit_readings(std::string_view word) {
  const std::string wanted = lower(word);
  if (wanted.ends_with("flops")) {
    std::string stem(word.substr(0, word.size() - 5));
    if (stem.size() == 1 && stem != "k") stem[0] = static_cast<char>(stem[0] & ~0x20);
    return {stem + "FLOP (work)", stem + "FLOP/s (rate)"};
  }
  if (word == "m") return {"min (minutes)", "ms (milliseconds)", "month (730 h)"};
  if (word == "mo" || word == "mon") return {"month (730 h)"};
  if (word == "y" || word == "yr" || word == "yrs") return {"year (8760 h)"};
  if (word == "w" || word == "wk") return {"W (watts)", "week"};
  std::vector<std::string> readings;
  for (const Symbol& symbol : symbols)
    for (const Prefix& prefix : prefixes) {
      if (!takes(symbol, prefix.symbol) || static_cast<unsigned char>(prefix.symbol.empty() ? 0 : prefix.symbol[0]) > 127) continue;
      const std::string spelling = std::string(prefix.symbol) + std::string(symbol.name);
      const bool kilo = prefix.symbol == "Ki" && wanted == "k" + lower(symbol.name);  // KB is read as 1000 and as 1024
      if (lower(spelling) == wanted || kilo) readings.push_back(spelling + " (" + std::string(symbol.meaning) + ")");
    }
  return readings;
}

double scale_of(std::string_view word) {
  const auto found = std::find_if(scales.begin(), scales.end(), [&](const Scale& s) { return s.name == word; });
  return found == scales.end() ? 0.0 : found->value;
}

bool is_count_noun(std::string_view word) { return std::find(count_nouns.begin(), count_nouns.end(), word) != count_nouns.end(); }

}  // namespace reckon::detail
