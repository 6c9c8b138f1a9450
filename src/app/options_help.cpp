// Help and completion texts, from the same tables that parse.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "app/options.hpp"
#include "base/text.hpp"

namespace reckon {
namespace {

constexpr std::size_t page_width = 80, name_column = 30;

/// `text` in lines of at most `width` characters.
std::vector<std::string> wrapped(const std::string& text, std::size_t width) {
  std::vector<std::string> lines;
  for (const std::string_view paragraph : split(text, '\n')) {
    lines.emplace_back();
    for (const std::string_view word : split(paragraph, ' ')) {
      if (!lines.back().empty() && lines.back().size() + 1 + word.size() > width) lines.emplace_back();
      if (!lines.back().empty()) lines.back() += ' ';
      lines.back() += word;
    }
  }
  return lines;
}

/// A name in the left column and its text in the right one.
std::string entry(const std::string& left, const std::string& right) {
  std::string out = "  " + left;
  const auto lines = wrapped(right, page_width - name_column);
  if (out.size() + 2 > name_column) out += "\n" + std::string(name_column, ' ');
  else out.append(name_column - out.size(), ' ');
  for (std::size_t i = 0; i < lines.size(); ++i) out += (i ? std::string(name_column, ' ') : "") + lines[i] + "\n";
  return out;
}

std::string option_entry(const OptionSpec& option) {
  std::string left = option.letter ? fmt::format("-{}, --{}", option.letter, option.name) : "    --" + option.name;
  if (!option.argument.empty()) left += " " + option.argument;
  return entry(left, option.fallback.empty() ? option.help : option.help + " [default: " + option.fallback + "]");
}

/// A command line in pieces, each an option with its arguments.
std::vector<std::string> pieces_of(const std::string& example) {
  std::vector<std::string> pieces;
  for (const std::string_view word : split(example, ' ')) {
    if (pieces.empty() || word.starts_with('-'))
      pieces.emplace_back(word);
    else
      pieces.back() += " " + std::string(word);
  }
  return pieces;
}

/// Lines set in; a long one is broken before an option, with the backslash that a shell needs.
std::string example_lines(const std::vector<std::string>& examples) {
  std::string out;
  for (const std::string& example : examples) {
    std::string line = " ";
    for (const std::string& piece : pieces_of(example)) {
      if (line.size() + 1 + piece.size() > page_width - 2 && line.size() > 1) {
        out += line + " \\\n";
        line = "     ";
      }
      line += " " + piece;
    }
    out += line + "\n";
  }
  return out;
}

std::vector<OptionSpec> all_options(const CommandSpec& command) {
  std::vector<OptionSpec> options;
  for (const OptionGroup& group : command.groups) options.insert(options.end(), group.options.begin(), group.options.end());
  options.push_back({.name = "help", .help = "show this text and leave", .letter = 'h'});
  return options;
}

/// Escapes for a single-quoted shell word.
std::string shell_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string bash_completion(const std::vector<CommandSpec>& commands) {
  std::string names, cases;
  for (const CommandSpec& command : commands) {
    names += command.name + " ";
    std::string words;
    for (const OptionSpec& option : all_options(command)) words += "--" + option.name + " ";
    cases += fmt::format("    {}) words=\"{}\" ;;\n", command.name, words);
  }
  return fmt::format(
      "# bash completion for reckon\n_reckon() {{\n  local word=\"${{COMP_WORDS[COMP_CWORD]}}\" words=\"\"\n  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W \"{}--help --version\" -- \"$word\"))\n    return\n  fi\n  case \"${{COMP_WORDS[1]}}\" in\n{}  esac\n"
      "  case \"$word\" in\n    -*) COMPREPLY=($(compgen -W \"$words\" -- \"$word\")) ;;\n    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n  esac\n}}\n"
      "complete -o filenames -F _reckon reckon\n",
      names, cases);
}

std::string zsh_completion(const std::vector<CommandSpec>& commands) {
  std::string names, cases;
  for (const CommandSpec& command : commands) {
    names += "    " + shell_quoted(command.name + ":" + command.purpose) + "\n";
    cases += "    " + command.name + ") _arguments";
    for (const OptionSpec& option : all_options(command)) {
      std::string help = option.help;
      for (const char special : {'[', ']', ':'}) std::replace(help.begin(), help.end(), special, ' ');
      cases += " " + shell_quoted("--" + option.name + "[" + help + "]" + (option.argument.empty() ? "" : ":" + option.argument + ":_files"));
    }
    cases += " '*:file:_files' ;;\n";
  }
  return fmt::format("#compdef reckon\n_reckon() {{\n  local -a commands\n  commands=(\n{}  )\n  if (( CURRENT == 2 )); then\n    _describe 'command' commands\n    return\n  fi\n  shift words; (( CURRENT-- ))\n  case \"$words[1]\" in\n{}  esac\n}}\n_reckon \"$@\"\n",
                     names, cases);
}

std::string fish_completion(const std::vector<CommandSpec>& commands) {
  std::string out = "# fish completion for reckon\n";
  for (const CommandSpec& command : commands) {
    out += fmt::format("complete -c reckon -n __fish_use_subcommand -f -a {} -d {}\n", command.name, shell_quoted(command.purpose));
    for (const OptionSpec& option : all_options(command))
      out += fmt::format("complete -c reckon -n '__fish_seen_subcommand_from {}' -l {}{} -d {}\n", command.name, option.name, option.argument.empty() ? "" : " -r", shell_quoted(option.help));
  }
  return out;
}

}  // namespace

std::string help_text(const CommandSpec& command) {
  std::string out = "reckon " + command.name + ": " + command.purpose + "\n";
  if (!command.examples.empty()) out += "\nExamples:\n" + example_lines(command.examples);
  out += "\nUsage: reckon " + command.name + " [options]";
  if (command.words.most > 0) {
    const std::string words = command.words.name + (command.words.most > 1 ? "..." : "");
    out += command.words.least > 0 ? " " + words : " [" + words + "]";
  }
  out += "\n";
  if (!command.words.help.empty()) out += entry(command.words.name, command.words.help);
  for (const OptionGroup& group : command.groups) {
    out += "\n" + group.title + ":\n";
    for (const OptionSpec& option : group.options) out += option_entry(option);
  }
  out += "\n" + entry("-h, --help", "show this text and leave");
  if (!command.notes.empty()) {
    out += "\n";
    for (const std::string& line : wrapped(command.notes, page_width)) out += line + "\n";
  }
  return out;
}

std::string overview_text(const std::string& purpose, const std::vector<std::string>& examples, const std::vector<CommandSpec>& commands) {
  std::string out = purpose + "\n";
  if (!examples.empty()) out += "\nExamples:\n" + example_lines(examples);
  out += "\nCommands ('reckon COMMAND --help' tells more):\n";
  for (const CommandSpec& command : commands) out += entry(command.name, command.purpose);
  out += "\nExit codes: 0 ok, 1 internal error, 2 wrong input, 3 no feasible plan, 4 device,\n5 file or disk, 6 stopped and resumable, 7 calibration missing or too old\n";
  return out;
}

std::string completion_script(const std::string& shell, const std::vector<CommandSpec>& commands) {
  if (shell == "bash") return bash_completion(commands);
  if (shell == "zsh") return zsh_completion(commands);
  if (shell == "fish") return fish_completion(commands);
  throw UsageError("no completion for the shell " + in_quotes(shell), suggestion(shell, {"bash", "zsh", "fish"}));
}

}  // namespace reckon
