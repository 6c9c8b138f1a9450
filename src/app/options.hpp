// The command line: one table per command from which parsing, help and completion all come.
//
// Boost.Program_options splits the words; every value stays text until a typed getter reads it through the quantity grammar, because the
// library itself takes `--gpus -1` for 4294967295 and `nan` for a price.  Nothing here prints or exits.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/quantity_text.hpp"

namespace reckon {

struct OptionSpec {
  std::string name;           ///< without the dashes
  std::string argument = "";  ///< what to write after it, e.g. "SIZE"; empty = a flag
  std::string fallback = "";  ///< the default, as the user would write it; empty = none
  std::string help = "";
  char letter = 0;            ///< short form, 0 = none
};

struct OptionGroup {
  std::string title;
  std::vector<OptionSpec> options;
};

/// The words after the options.
struct WordsSpec {
  std::string name = "";  ///< e.g. "FILE"
  std::string help = "";
  std::size_t least = 0, most = 0;
};

struct CommandSpec {
  std::string name;
  std::string purpose;                ///< one line
  std::vector<std::string> examples;  ///< real command lines; the tests run them
  std::vector<OptionGroup> groups;
  WordsSpec words = {};
  std::string notes = "";             ///< optional, at the end of the help
};

/// The options of one call.  The getters throw UsageError naming flag, value, reason and cure.
class ParsedOptions {
 public:
  ParsedOptions(const CommandSpec& command, std::map<std::string, std::string> values, std::vector<std::string> words)
      : command_(command), values_(std::move(values)), words_(std::move(words)) {}

  /// --help or -h was given: every command has it.
  bool help() const { return given("help"); }
  /// True when the option stands on the command line, whatever its default.
  bool given(const std::string& name) const { return values_.contains(name); }
  /// A flag, an option without argument.
  bool flag(const std::string& name) const;
  /// The value or the default; nothing when there is neither.
  std::optional<std::string> find(const std::string& name) const;
  /// The value or the default; an option with neither is required.
  std::string text(const std::string& name) const;

  template <class Q>
  Q quantity(const std::string& name) const {
    return read(name, [](const std::string& value) { return parse_quantity<Q>(value); });
  }
  std::int64_t count(const std::string& name, std::int64_t least, std::int64_t most = largest_count) const;
  std::vector<std::int64_t> counts(const std::string& name, std::int64_t least = 1, std::int64_t most = largest_count) const;
  double number(const std::string& name, double least, double most) const;
  /// One of `choices`.
  std::string choice(const std::string& name, const std::vector<std::string>& choices) const;
  /// Words between commas, none empty; each one of `choices` unless that is empty.
  std::vector<std::string> list(const std::string& name, const std::vector<std::string>& choices = {}) const;

  const std::vector<std::string>& words() const { return words_; }

  /// Throws UsageError about this option's value, for checks of the command itself.
  [[noreturn]] void fail(const std::string& name, const std::string& reason, const std::string& cure = "") const;

 private:
  template <class Read>
  auto read(const std::string& name, const Read& reader) const {
    const std::string value = text(name);
    try {
      return reader(value);
    } catch (const TextError& error) {
      fail(name, error.reason(), error.cure());
    }
  }

  CommandSpec command_;
  std::map<std::string, std::string> values_;
  std::vector<std::string> words_;
};

/// Parses the words after the command's name.  Throws UsageError for unknown options (with the nearest), repeated ones, missing or unwanted
/// arguments, abbreviations and stray words.
ParsedOptions parse_options(const CommandSpec& command, const std::vector<std::string>& arguments);

/// The command named `word`; throws UsageError with the nearest name.
const CommandSpec& find_command(const std::vector<CommandSpec>& commands, const std::string& word);

/// Text for `reckon NAME --help`: purpose, examples, then all options by group with argument and default, in 80 columns.
std::string help_text(const CommandSpec& command);

/// Text for `reckon --help`: purpose, examples, one line a command, exit codes.
std::string overview_text(const std::string& purpose, const std::vector<std::string>& examples, const std::vector<CommandSpec>& commands);

/// Completion script for `bash`, `zsh` or `fish`; throws UsageError for another shell.
std::string completion_script(const std::string& shell, const std::vector<CommandSpec>& commands);

}  // namespace reckon
