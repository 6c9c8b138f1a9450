// Reads counts, ratios, ranges and lists.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/number_scan.hpp"
#include "base/quantity_text.hpp"
#include "base/text.hpp"
#include "base/unit_table.hpp"

namespace reckon {
namespace {

constexpr std::size_t most_counts = 10'000;

double binary_scale(std::string_view word) { return word == "Ki" ? 0x1p10 : word == "Mi" ? 0x1p20 : word == "Gi" ? 0x1p30 : 0.0; }

/// The factor that a count's first word means; 1 for a noun (which `words_left` then may not follow).
double count_scale(std::string_view word, std::string_view text, bool& noun) {
  if (detail::is_count_noun(word)) {
    noun = true;
    return 1.0;
  }
  const double scale = std::max(detail::scale_of(word), binary_scale(word));
  if (scale > 0.0) return scale;
  std::string cure = "write a whole number such as 512, 1e12 or 15T";
  if (word == "K") cure = "write k (1000) or Ki (1024)";
  if (word == "b" || word == "t" || word == "m" || word == "g" || word == "bn") cure = "write k, M, B or T (thousand to trillion)";
  throw TextError(fmt::format("{} is not a scale or a thing to count in {}", in_quotes(word), in_quotes(text)), cure);
}

void check_range(std::string_view text, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value >= least && value <= most) return;
  const std::string range = most == largest_count ? fmt::format("at least {}", least) : fmt::format("from {} to {}", least, most);
  throw TextError(in_quotes(text) + " is out of range", "write a whole number " + range);
}

/// The step of a range `a..b*f` or `a..b+s`: multiplier first, then addend.
struct Step {
  std::int64_t times = 2, plus = 0;
};

/// Cuts `*f` or `+s` off the upper end of a range.
Step take_step(std::string_view& upper, std::string_view item) {
  const auto sign = upper.find_first_of("*+");
  if (sign == std::string_view::npos) return {};
  const std::string_view step = upper.substr(sign + 1);
  const bool times = upper[sign] == '*';
  upper = upper.substr(0, sign);
  if (trim(step).empty()) throw TextError(in_quotes(item) + " has no step after '" + (times ? "*'" : "+'"), "write a range like 256..24576*2");
  return times ? Step{parse_count(step, 2, 1'000'000), 0} : Step{1, parse_count(step, 1)};
}

void add_range(std::vector<std::int64_t>& counts, std::string_view item, std::size_t dots, std::int64_t least, std::int64_t most) {
  std::string_view upper = item.substr(dots + 2);
  const Step step = take_step(upper, item);
  const std::int64_t first = parse_count(item.substr(0, dots), std::max<std::int64_t>(least, 1), most), last = parse_count(upper, least, most);
  if (first > last) throw TextError(in_quotes(item) + " runs backwards", fmt::format("write {}..{}", last, first));
  for (std::int64_t count = first; count < last; count = step.plus > 0 ? count + step.plus : count > last / step.times ? last : count * step.times) {
    counts.push_back(count);
    if (counts.size() > most_counts) throw TextError(in_quotes(item) + " has more than 10000 counts", "use a larger step");
  }
  counts.push_back(last);
}

}  // namespace

std::int64_t parse_count(std::string_view text, std::int64_t least, std::int64_t most) {
  detail::check_plain(text, "512");
  std::string_view rest = trim(text);
  double number = detail::take_number(rest, text);
  bool noun = false;
  for (detail::skip_spaces(rest); !rest.empty(); detail::skip_spaces(rest)) {
    const std::string_view word = detail::take_word(rest);
    if (word.empty() || noun) throw TextError(fmt::format("{} has {} after the count", in_quotes(text), in_quotes(word.empty() ? rest : word)), "write a whole number");
    const double scale = count_scale(word, text, noun);
    if (!noun && !rest.empty() && rest[0] != ' ' && rest[0] != '\t') throw TextError(in_quotes(text) + " is not a count", "write a whole number");
    number *= scale;
    if (!noun && !trim(rest).empty()) {  // after a scale only a noun
      std::string_view ahead = rest;
      if (!detail::is_count_noun(detail::take_word(ahead))) throw TextError(fmt::format("{} has {} after the count", in_quotes(text), in_quotes(trim(rest))), "write a whole number");
    }
  }
  // 8.3T is 8.3 * 1e12, which a double may miss by a unit of last place: the nearest whole number is meant.
  const double whole = std::nearbyint(number);
  if (std::abs(number - whole) > 1e-15 * number) throw TextError(in_quotes(text) + " is not a whole number", "write a whole number such as 512, 1e12 or 15T");
  if (whole > static_cast<double>(largest_count)) throw TextError(in_quotes(text) + " is out of range", "counts end at 9e15");
  const auto value = static_cast<std::int64_t>(whole);
  check_range(text, value, least, most);
  return value;
}

double parse_number(std::string_view text, double least, double most) {
  detail::check_plain(text, "0.4");
  std::string_view rest = trim(text);
  const bool negative = least < 0.0 && rest.starts_with('-');
  if (negative) rest.remove_prefix(1);
  double value = detail::take_number(rest, text);
  const std::string_view word = detail::take_word(rest);
  detail::skip_spaces(rest);
  if (!(word.empty() || word == "%") || !rest.empty()) throw TextError(in_quotes(text) + " is not a plain number", "write a number such as 0.4 or 40 %");
  if (word == "%") value /= 100.0;
  if (negative) value = -value;
  if (!(value >= least && value <= most)) throw TextError(in_quotes(text) + " is out of range", fmt::format("write a number from {} to {}", least, most));
  return value;
}

std::vector<std::int64_t> parse_counts(std::string_view text, std::int64_t least, std::int64_t most) {
  if (trim(text).empty()) throw TextError("the list of counts is empty", "write it like '256,512,1024' or '256..24576'");
  if (text.size() > 10'000) throw TextError("the list of counts is longer than 10000 characters", "use a range like '256..24576'");
  std::vector<std::int64_t> counts;
  for (const std::string_view part : split(text, ',')) {
    const std::string_view item = trim(part);
    if (item.empty()) throw TextError(in_quotes(text) + " has an empty item", "write it like '256,512,1024' or '256..24576'");
    const auto dots = item.find("..");
    if (dots == std::string_view::npos)
      counts.push_back(parse_count(item, least, most));
    else
      add_range(counts, item, dots, least, most);
    if (counts.size() > most_counts) throw TextError("the list has more than 10000 counts", "use fewer");
  }
  std::sort(counts.begin(), counts.end());
  counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
  return counts;
}

}  // namespace reckon
