// reckon help, version, completion; and the table of all commands.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>

#include "app/command.hpp"
#include "app/say.hpp"
#include "app/version.hpp"

namespace reckon {
namespace {

const char* const purpose = "reckon: how many GPUs, how long, what cost for a training run.";

const std::vector<std::string> first_examples{"reckon plan --model llama-3-8b --device h100 --devices 64..1024 --tokens 1T",
                                              "reckon predict --model llama-3-70b --device h100 --tp 8 --pp 4 --devices 1024",
                                              "reckon catalog devices h100"};

std::vector<CommandSpec> all_specs() {
  std::vector<CommandSpec> out;
  for (const Command& command : commands()) out.push_back(command.spec);
  return out;
}

std::string units_help() {
  return R"(Quantities are written as number, optional space, optional prefix, unit:

  memory, data     80 GiB   80 GB   512 MiB      GB is 1e9 bytes, GiB is 2^30
  bandwidth        3.35 TB/s   400 Gb/s   50 GB/s   b is bit, B is byte
  rate             989 TFLOP/s                   FLOP is work, FLOP/s a rate
  time             1.5 us   20 ms   90 s   30 min   24 h   30 d   1 year
  power, energy    700 W   10.2 kW   1.2 MWh
  money            $2.50/h   $50M   2.50 USD/GPU-h   $0.09/kWh     in a shell '$50M', in single quotes
  counts           512   15T   16M tokens   8B params   1e12     k M B T: thousand to trillion
  shares           0.06   6 %
  lists            256,512,1024   256..24576 (doubling)   256..6561*3   64..512+64

Decimal prefixes k M G T P E, binary Ki Mi Gi Ti Pi.  Case matters where it decides: b and B, m and M.  All rates and prices are per device
unless the name says otherwise.  A number without unit is refused where a unit is needed; so are nan, inf, signs, 1,000 and 2,5.
)";
}

std::string examples_text() {
  std::string out;
  for (const std::string& example : first_examples) out += example + "\n";
  for (const CommandSpec& spec : all_specs())
    for (const std::string& example : spec.examples) out += example + "\n";
  return out;
}

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<Command> all{
      {plan_spec(), run_plan, true, true},
      {explore_spec(), run_explore, true, true},
      {scale_spec(), run_scale},
      {stages_spec(), run_stages},
      {predict_spec(), run_predict},
      {simulate_spec(), run_simulate, true},
      {validate_spec(), run_validate},
      {fit_spec(), run_fit},
      {calibrate_spec(), run_calibrate, true},
      {import_spec(), run_import},
      {train_spec(), run_train, true, true},
      {quote_spec(), run_quote},
      {report_spec(), run_report},
      {show_spec(), run_show},
      {verify_spec(), run_verify},
      {catalog_spec(), run_catalog},
      {device_spec(), run_device},
      {version_spec(), run_version},
      {completion_spec(), run_completion},
      {help_spec(), run_help},
  };
  return all;
}

std::string overview() {
  return overview_text(purpose, first_examples, all_specs()) + "\n'reckon help units' explains how quantities are written.\n";
}

std::string short_overview() {
  std::string out = std::string(purpose) + "\n\n";
  for (const std::string& example : first_examples) out += "  " + example + "\n";
  return out +
         "\nreckon --help          lists all commands\nreckon plan --help     explains one of them\nreckon help units      explains how "
         "quantities are written\n";
}

void note(const MpiSession& session, const std::string& line) {
  if (session.is_root()) say("reckon: " + line + "\n");
}

CommandSpec help_spec() {
  return {"help",
          "this program, one command, or the grammar of quantities",
          {"reckon help", "reckon help plan", "reckon help units"},
          {{"Output", {{.name = "examples", .help = "the examples of all commands, one a line"}}}},
          {"TOPIC", "a command, or 'units'", 0, 1}};
}

CommandResult run_help(const ParsedOptions& options, const MpiSession&) {
  if (options.flag("examples")) return {examples_text()};
  if (options.words().empty()) return {overview()};
  const std::string& topic = options.words()[0];
  return {topic == "units" ? units_help() : help_text(find_command(all_specs(), topic))};
}

CommandSpec version_spec() {
  return {"version",
          "version, commit and libraries of this program",
          {"reckon version", "reckon version --json"},
          {{"Output", {{.name = "json", .help = "as JSON"}}}}};
}

CommandResult run_version(const ParsedOptions& options, const MpiSession&) {
  return {options.flag("json") ? version_json() : version_line()};
}

CommandSpec completion_spec() {
  return {"completion", "completion script for bash, zsh or fish", {"reckon completion bash"}, {}, {"SHELL", "bash, zsh or fish", 1, 1}};
}

CommandResult run_completion(const ParsedOptions& options, const MpiSession&) {
  return {completion_script(options.words()[0], all_specs())};
}

}  // namespace reckon
