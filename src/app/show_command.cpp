// reckon show: what a results file says.  reckon verify: whether it is whole.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/command.hpp"
#include "io/listing.hpp"
#include "io/results_file.hpp"
#include "io/results_json.hpp"
#include "report/plan_report.hpp"

namespace reckon {

CommandSpec show_spec() {
  return {"show",
          "what a results file says",
          {"reckon show mixtral.h5", "reckon show mixtral.h5 --json", "reckon show mixtral.h5 --input model"},
          {{"Output",
            {{.name = "json", .help = "as JSON, the same document as 'reckon plan --json'"},
             {.name = "input",
              .argument = "NAME",
              .help = "print this input verbatim: model, cluster, device, node, fabric, calibration, links, stacks, prices"}}}},
          {"FILE", "a file written by 'reckon plan --out FILE'", 1, 1}};
}

CommandResult run_show(const ParsedOptions& options, const MpiSession&) {
  const PlanResults results = read_results(options.words()[0]);
  if (options.given("input")) {
    std::vector<std::string> known;
    for (const InputText& input : results.inputs) {
      if (input.name == options.text("input")) return {input.text};
      known.push_back(input.name);
    }
    options.choice("input", known);  // throws with the nearest name
  }
  return {options.flag("json") ? plan_json(results) : plan_report(results)};
}

CommandSpec verify_spec() {
  return {"verify",
          "whether a results file is whole; exit code 0 or 2",
          {"reckon verify mixtral.h5"},
          {{"Output", {{.name = "json", .help = "the answer as JSON on stdout"}}}},
          {"FILE", "a file written by 'reckon plan --out FILE'", 1, 1},
          "Checks the SHA-256 of the file and of every input in it, the mark of completion, shapes and ranges, that no number is missing, "
          "that sums are the sum of their parts, and that tables "
          "which repeat each other agree."};
}

CommandResult run_verify(const ParsedOptions& options, const MpiSession&) {
  const std::string& file = options.words()[0];
  const PlanResults r = read_results(file);
  if (options.flag("json"))
    return {record_json("reckon/verify/1", {{"file", file},
                                            {"result", "whole"},
                                            {"uuid", r.provenance.uuid},
                                            {"software_version", r.provenance.version},
                                            {"git_commit", r.provenance.git_commit}})};
  return {fmt::format("{}: whole; {} sizes, {} candidates, {} assumptions, {} inputs; {}\n", file, r.sizes.size(), r.candidates.size(),
                      r.assumptions.size(), r.inputs.size(), r.provenance.uuid)};
}

}  // namespace reckon
