// Splits the command line and reads typed values.  Help and completion are in options_help.cpp.
// SPDX-License-Identifier: Apache-2.0
#include "app/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>

#include "base/text.hpp"

namespace reckon {
namespace {

namespace po = boost::program_options;

const char* const words_option = "reckon-words";

const OptionSpec* find_option(const CommandSpec& command, const std::string& name) {
  for (const OptionGroup& group : command.groups)
    for (const OptionSpec& option : group.options)
      if (option.name == name) return &option;
  return nullptr;
}

std::string help_cure(const CommandSpec& command) { return "see 'reckon " + command.name + " --help'"; }

std::vector<std::string> long_names(const CommandSpec& command) {
  std::vector<std::string> names{"--help"};
  for (const OptionGroup& group : command.groups)
    for (const OptionSpec& option : group.options) names.push_back("--" + option.name);
  return names;
}

po::options_description description_of(const CommandSpec& command) {
  po::options_description all;
  all.add_options()("help,h", "");
  for (const OptionGroup& group : command.groups)
    for (const OptionSpec& option : group.options) {
      const std::string name = option.letter ? fmt::format("{},{}", option.name, option.letter) : option.name;
      if (option.argument.empty())
        all.add_options()(name.c_str(), "");
      else
        all.add_options()(name.c_str(), po::value<std::string>(), "");
    }
  if (command.words.most > 0) all.add_options()(words_option, po::value<std::vector<std::string>>(), "");
  return all;
}

/// Boost's split words, its complaints turned into ours.
po::parsed_options split_words(const CommandSpec& command, const std::vector<std::string>& arguments, const po::options_description& all) {
  po::positional_options_description words;
  if (command.words.most > 0) words.add(words_option, -1);
  constexpr int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  try {
    return po::command_line_parser(arguments).options(all).positional(words).style(style).run();
  } catch (const po::unknown_option& error) {
    const std::string name = error.get_option_name();
    const std::string near = nearest_word(name.substr(0, name.find('=')), long_names(command));
    throw UsageError("unknown option " + in_quotes(name), near.empty() ? help_cure(command) : "did you mean '" + near + "'?");
  } catch (const po::too_many_positional_options_error&) {
    throw UsageError("a word too many for 'reckon " + command.name + "'", help_cure(command));
  } catch (const po::invalid_command_line_syntax& error) {
    const std::string name = error.get_option_name();
    if (error.kind() == po::invalid_syntax::extra_parameter) throw UsageError("the flag " + in_quotes(name) + " takes no value", "write it alone");
    throw UsageError("the option " + in_quotes(name) + " needs a value", help_cure(command));
  } catch (const po::error& error) {
    throw UsageError(error.what(), help_cure(command));
  }
}

void check_words(const CommandSpec& command, const std::vector<std::string>& words) {
  const WordsSpec& wanted = command.words;
  if (words.size() < wanted.least) throw UsageError(fmt::format("'reckon {}' needs {}", command.name, wanted.name), wanted.help.empty() ? help_cure(command) : wanted.help);
  if (words.size() > wanted.most) throw UsageError(fmt::format("the word {} is too many for 'reckon {}'", in_quotes(words[wanted.most]), command.name), help_cure(command));
}

/// The first word that no option takes, to name it in the complaint that it is one too many.
void refuse_strays(const CommandSpec& command, const std::vector<std::string>& arguments) {
  if (command.words.most > 0) return;
  CommandSpec tolerant = command;
  tolerant.words = {"", "", 0, arguments.size() + 1};
  const auto parsed = split_words(tolerant, arguments, description_of(tolerant));
  for (const auto& option : parsed.options)
    if (option.string_key == words_option && !option.value.empty())
      throw UsageError(fmt::format("the word {} is too many for 'reckon {}'", in_quotes(option.value[0]), command.name), help_cure(command));
}

}  // namespace

ParsedOptions parse_options(const CommandSpec& command, const std::vector<std::string>& arguments) {
  refuse_strays(command, arguments);
  const auto parsed = split_words(command, arguments, description_of(command));
  std::map<std::string, std::string> values;
  std::vector<std::string> words;
  for (const auto& option : parsed.options) {
    if (option.string_key == words_option) {
      words.insert(words.end(), option.value.begin(), option.value.end());
      continue;
    }
    const std::string value = option.value.empty() ? "" : option.value[0];
    if (value.starts_with("--")) throw UsageError(fmt::format("the option '--{}' needs a value, found {}", option.string_key, in_quotes(value)), help_cure(command));
    if (!values.emplace(option.string_key, value).second) throw UsageError("the option '--" + option.string_key + "' is given twice", "give it once");
  }
  if (!values.contains("help")) check_words(command, words);
  return {command, std::move(values), std::move(words)};
}

bool ParsedOptions::flag(const std::string& name) const {
  const OptionSpec* option = find_option(command_, name);
  if (!option || !option->argument.empty()) throw InternalError("no flag named --" + name);
  return given(name);
}

std::optional<std::string> ParsedOptions::find(const std::string& name) const {
  const OptionSpec* option = find_option(command_, name);
  if (!option || option->argument.empty()) throw InternalError("no option with a value named --" + name);
  if (const auto found = values_.find(name); found != values_.end()) return found->second;
  if (option->fallback.empty()) return {};
  return option->fallback;
}

std::string ParsedOptions::text(const std::string& name) const {
  if (auto value = find(name)) return *value;
  throw UsageError("the option '--" + name + "' is required", fmt::format("give --{} {}", name, find_option(command_, name)->argument));
}

void ParsedOptions::fail(const std::string& name, const std::string& reason, const std::string& cure) const {
  const auto value = find(name);
  const bool said = !value || reason.find(in_quotes(*value)) != std::string::npos;
  throw UsageError(said ? fmt::format("--{}: {}", name, reason) : fmt::format("--{} {}: {}", name, in_quotes(*value), reason), cure);
}

std::int64_t ParsedOptions::count(const std::string& name, std::int64_t least, std::int64_t most) const {
  return read(name, [&](const std::string& value) { return parse_count(value, least, most); });
}

std::vector<std::int64_t> ParsedOptions::counts(const std::string& name, std::int64_t least, std::int64_t most) const {
  return read(name, [&](const std::string& value) { return parse_counts(value, least, most); });
}

double ParsedOptions::number(const std::string& name, double least, double most) const {
  return read(name, [&](const std::string& value) { return parse_number(value, least, most); });
}

std::string ParsedOptions::choice(const std::string& name, const std::vector<std::string>& choices) const {
  const std::string value = text(name);
  if (std::find(choices.begin(), choices.end(), value) == choices.end()) fail(name, "not one of the choices", suggestion(value, choices));
  return value;
}

std::vector<std::string> ParsedOptions::list(const std::string& name, const std::vector<std::string>& choices) const {
  std::vector<std::string> items;
  const std::string value = text(name);
  for (const std::string_view part : split(value, ',')) {
    const std::string item(trim(part));
    if (item.empty()) fail(name, "an item is empty", "write words between commas");
    if (!choices.empty() && std::find(choices.begin(), choices.end(), item) == choices.end()) fail(name, in_quotes(item) + " is not one of the choices", suggestion(item, choices));
    items.push_back(item);
  }
  return items;
}

const CommandSpec& find_command(const std::vector<CommandSpec>& commands, const std::string& word) {
  std::vector<std::string> names;
  for (const CommandSpec& command : commands) {
    if (command.name == word) return command;
    names.push_back(command.name);
  }
  const std::string kind = word.starts_with('-') ? "unknown option " : "unknown command ";
  throw UsageError(kind + in_quotes(word), word.starts_with('-') ? "see 'reckon --help'" : suggestion(word, names));
}

}  // namespace reckon
