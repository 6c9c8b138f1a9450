// The program: finds the command, starts MPI where a command is parallel, catches every error once, and sees that the answer reached
// stdout. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "app/command.hpp"
#include "app/say.hpp"
#include "app/version.hpp"
#include "runtime/launch.hpp"
#include "runtime/stop_signal.hpp"

namespace reckon {
namespace {

constexpr int internal = static_cast<int>(ExitCode::internal), wrong_input = static_cast<int>(ExitCode::input),
              no_file = static_cast<int>(ExitCode::file);

/// Writes the answer to stdout and checks that it arrived.  A reader that went away (EPIPE) is no error: `reckon plan | head`.
int deliver(const std::string& answer, int code) {
  const bool written = std::fwrite(answer.data(), 1, answer.size(), stdout) == answer.size() && std::fflush(stdout) == 0;
  if (written) return code;
  if (errno == EPIPE) return code;
  say(fmt::format("reckon: cannot write the answer to stdout: {}\n", std::strerror(errno)));
  return no_file;
}

/// The one place that ends errors: a message on stderr, the code for the process.
template <class Work>
int caught(bool speaks, const Work& work) {
  const auto complain = [speaks](const std::string& message) {
    if (speaks) say("reckon: " + message + "\n");
  };
  try {
    return work();
  } catch (const Error& error) {
    complain(error.what());
    return error.exit_code();
  } catch (const std::bad_alloc&) {
    complain("out of memory");
    return internal;
  } catch (const std::exception& error) {
    complain(std::string("internal error: ") + error.what());
    return internal;
  }
}

int run_command(const Command& command, const ParsedOptions& options, bool speaks) {
  return caught(speaks, [&] {
    if (command.stoppable) catch_stop_signals();
    const bool singleton = command.parallel && options.flag("allow-singleton");
    if (!command.parallel && !speaks) return 0;  // the first process answers alone
    // A serial command takes no part in MPI, whoever started it.
    const Environment alone = [](const char*) { return std::optional<std::string>(); };
    const MpiSession session(MpiStart::when_launched, singleton, command.parallel ? process_environment() : alone);
    CommandResult result;
    int code = caught(session.is_root(), [&] {
      result = command.run(options, session);
      return static_cast<int>(result.code);
    });
    if (session.is_root() && !result.answer.empty()) code = deliver(result.answer, code);
    return session.all_reduce_max(code);
  });
}

int run(const std::vector<std::string>& words) {
  const bool speaks = early_rank(process_environment()) == 0;
  if (words.empty()) {
    if (speaks) say(short_overview());
    return wrong_input;
  }
  std::string word = words[0];
  if (word == "--version") word = "version";
  if (word == "--help" || word == "-h") word = "help";
  const std::vector<std::string> rest(words.begin() + 1, words.end());
  const Command* command = nullptr;
  std::unique_ptr<ParsedOptions> options;
  const int code = caught(speaks, [&] {
    std::vector<CommandSpec> specs;
    for (const Command& c : commands()) specs.push_back(c.spec);
    const std::string& name = find_command(specs, word).name;
    for (const Command& c : commands())
      if (c.spec.name == name) command = &c;
    options = std::make_unique<ParsedOptions>(parse_options(command->spec, rest));
    return 0;
  });
  if (code != 0) return code;
  if (options->help()) return speaks ? deliver(help_text(command->spec), 0) : 0;
  return run_command(*command, *options, speaks);
}

}  // namespace
}  // namespace reckon

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  reckon::install_terminate_handler();
  return reckon::run({argv + std::min(argc, 1), argv + argc});
}
