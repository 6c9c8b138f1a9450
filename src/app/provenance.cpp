// SPDX-License-Identifier: Apache-2.0
#include "app/provenance.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "base/quantity_text.hpp"
#include "io/results_json.hpp"
#include "io/sha256.hpp"

namespace reckon {
namespace {

constexpr std::int64_t last_second = 253402300799;  // 9999-12-31T23:59:59Z

std::string shell_word(const std::string& text) {
  const std::string plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:=+@%";
  if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::string canonical_command(const CommandSpec& command, const ParsedOptions& options, const std::vector<std::string>& left_out) {
  std::string out = "reckon " + command.name;
  for (const OptionGroup& group : command.groups)
    for (const OptionSpec& option : group.options) {
      if (!options.given(option.name) || std::find(left_out.begin(), left_out.end(), option.name) != left_out.end()) continue;
      out += " --" + option.name;
      if (!option.argument.empty()) out += " " + shell_word(options.text(option.name));
    }
  for (const std::string& word : options.words()) out += " " + shell_word(word);
  return out;
}

std::string derived_uuid(const PlanQuestion& question, const std::vector<InputText>& inputs, const std::string& version) {
  Sha256 digest;
  digest.update(question_json(question));
  for (const InputText& input : inputs) digest.update(input.name + "\n" + input.sha256 + "\n");
  digest.update(version);
  std::string hex = digest.hex().substr(0, 32);
  hex[12] = '8';                                                                // version
  hex[16] = "89ab"[(hex[16] >= 'a' ? hex[16] - 'a' + 10 : hex[16] - '0') & 3];  // variant
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4), hex.substr(20));
}

std::string date_of_epoch(const char* epoch) {
  if (epoch == nullptr || *epoch == '\0') return "";
  try {
    const std::time_t moment = parse_count(epoch, 0, last_second);
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(moment));
  } catch (const TextError& error) {
    throw UsageError("SOURCE_DATE_EPOCH: " + error.reason(), "set it to seconds since 1970, or unset it");
  }
}

}  // namespace reckon
