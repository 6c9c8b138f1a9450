// reckon import: turns what other programs measured into a calibration.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "app/command.hpp"
#include "app/version.hpp"
#include "io/atomic_file.hpp"
#include "io/input_file.hpp"
#include "io/link_imports.hpp"
#include "io/machine_calibration_files.hpp"
#include "io/machine_calibration_names.hpp"
#include "measure/machine.hpp"
#include "report/calibration_report.hpp"

namespace reckon {

CommandSpec import_spec() {
  return {"import",
          "links measured by nccl-tests or OSU benchmarks, as a calibration",
          {},
          {{"What the files do not say",
            {{.name = "device", .argument = "NAME", .help = "whose links they are: an id of 'reckon catalog devices'"},
             {.name = "operation",
              .argument = "NAME",
              .help = "all_reduce, all_gather, reduce_scatter, all_to_all, broadcast, point_to_point [default: as the file says]"},
             {.name = "ranks", .argument = "N", .help = "that took part [default: as the file says; OSU files never do]"},
             {.name = "date", .argument = "DATE", .help = "of the measurement, YYYY-MM-DD [default: today]"}}},
           {"Output",
            {{.name = "out", .argument = "FILE", .help = "the calibration"},
             {.name = "force", .help = "replace the file", .letter = 'f'},
             {.name = "json", .help = "the calibration on stdout too"}}}},
          {"FILE", "outputs of all_reduce_perf and its like (text, or JSON by -J), osu_allreduce and its like; of one node", 1, 64},
          "reckon import --device h100-sxm-80gb all_reduce.txt all_gather.txt --out links.json; reckon plan --device h100 --calibration "
          "links.json ..."};
}

CommandResult run_import(const ParsedOptions& options, const MpiSession& session) {
  const std::string out = options.text("out");
  check_target(out, options.flag("force"));
  ImportHints hints;
  if (options.given("operation")) {
    std::vector<std::string> names;
    for (const auto& [collective, name] : collective_keys) names.emplace_back(name);
    const std::string name = options.choice("operation", names);
    hints.operation = collective_keys[std::size_t(std::find(names.begin(), names.end(), name) - names.begin())].first;
  }
  if (options.given("ranks")) hints.ranks = options.count("ranks", 2, 1 << 24);
  MachineCalibration machine;
  machine.device = options.text("device");
  machine.date = options.find("date").value_or(measure::today());
  machine.software["reckon"] = version().number + " " + commit_text();
  for (const std::string& file : options.words()) {
    const ImportedLinks links = import_links(read_input_file(file), file, hints);
    if (links.hosts > 1)
      throw ConfigError(file, "", fmt::format("the measurement spans {} hosts; a calibration of links is of one node", links.hosts),
                        "measure inside one node");
    if (machine.processor.empty()) machine.processor = links.device;
    machine.software["measured by"] = links.program;
    for (const LinkSample& s : links.samples) {
      machine.ranks = std::max(machine.ranks, s.ranks);
      machine.samples.links.push_back(s);
    }
  }
  if (machine.processor.empty()) machine.processor = machine.device;
  fit_machine(machine, {}, 1);
  const std::string text = write_machine_calibration(machine);
  write_file(out, text, options.flag("force"), [](const std::filesystem::path& temporary) { read_machine_calibration(temporary); });
  note(session, fmt::format("{} measurements of {} files", machine.samples.links.size(), options.words().size()));
  return {options.flag("json") ? text : calibration_report(machine, out)};
}

}  // namespace reckon
