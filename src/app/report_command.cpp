// reckon report: what a results file says to those who decide and pay.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "app/command.hpp"
#include "app/cost_options.hpp"
#include "app/pdf.hpp"
#include "app/together.hpp"
#include "base/text.hpp"
#include "io/atomic_file.hpp"
#include "io/quote_files.hpp"
#include "io/results_file.hpp"
#include "io/results_json.hpp"
#include "report/cost_csv.hpp"
#include "report/cost_currency.hpp"
#include "report/cost_report.hpp"
#include "report/cost_xlsx.hpp"

namespace reckon {
namespace {

const std::vector<std::string> formats{"text", "markdown", "html", "csv", "json"};
const std::map<std::string, std::string> format_of_suffix{{".txt", "text"},  {".md", "markdown"}, {".html", "html"}, {".csv", "csv"},
                                                          {".json", "json"}, {".xlsx", "xlsx"},   {".pdf", "pdf"}};

/// The results in the currency that was asked for.
void convert(const ParsedOptions& options, PlanResults& r) {
  if (!options.given("currency")) return;
  if (!r.costs) options.fail("currency", "the results hold no cost study", "plan again with this program");
  try {
    const auto [code, rate] = parse_rate(options.text("currency"));
    if (code == "USD") throw TextError("the report is in USD", "leave --currency out");
    r = in_currency(std::move(r), {code, rate.usd, rate.date});
  } catch (const TextError& error) {
    options.fail("currency", error.reason(), error.cure());
  }
  r.provenance.command_line += (r.provenance.command_line.find("   # reported with") == std::string::npos ? "   # reported with" : "");
  r.provenance.command_line += " --currency " + options.text("currency");
}

std::string rendered(const PlanResults& results, const std::string& format) {
  if (format == "csv") return cost_csv(results);
  if (format == "json") return plan_json(results);
  if (format == "xlsx") return cost_xlsx(results);
  const Document document = cost_report(results);
  if (format == "markdown") return to_markdown(document);
  if (format == "html") return to_html(document);
  if (format == "pdf") return pdf_of(to_html(document));
  return to_text(document);
}

struct Output {
  std::filesystem::path file;
  std::string format;
};

std::vector<Output> outputs(const ParsedOptions& options) {
  std::vector<Output> out;
  if (!options.given("out")) return out;
  for (const std::string& name : options.list("out")) {
    const std::filesystem::path file(name);
    const auto found = format_of_suffix.find(lower(file.extension().string()));
    if (found == format_of_suffix.end())
      options.fail("out", in_quotes(name) + " has no known suffix", "end it in .txt, .md, .html, .csv, .json, .xlsx or .pdf");
    for (const Output& other : out)
      if (other.file == file) options.fail("out", in_quotes(name) + " is named twice", "give each file once");
    check_target(file, options.flag("force"));
    out.push_back({file, found->second});
  }
  return out;
}

/// The study again, with other assumptions.
void reassume(const ParsedOptions& options, PlanResults& r) {
  if (!options.given("assume") && !options.given("draws") && !options.given("seed")) return;
  if (!r.costs)
    throw UsageError("the results hold no cost study", "there is none where no plan fits; a file of an older program is planned again");
  const CostStudy& old = *r.costs;
  std::vector<CostAssumption> list = old.model.assumptions;
  if (options.given("assume")) assume(options, list);
  const std::uint64_t seed = options.given("seed") ? static_cast<std::uint64_t>(options.count("seed", 0)) : old.uncertainty.seed;
  const std::int64_t draws =
      options.given("draws") ? options.count("draws", 1, 10'000'000) : std::max<std::int64_t>(1, old.uncertainty.draws);
  try {
    CostStudy study = make_cost_study(make_cost_model(std::move(list), old.model.chosen), old.devices, old.place);
    study.uncertainty = reduce_draws(study.model, seed, draws, draw_rows(study.model, seed, 0, draws));
    if (!options.given("assume")) study.fan = old.fan;
    r.costs = std::move(study);
  } catch (const TextError& error) {
    throw UsageError("the cost study: " + error.reason(), error.cure());
  }
  r.provenance.command_line += "   # reported with";
  for (const char* option : {"assume", "draws", "seed"})
    if (options.given(option)) r.provenance.command_line += fmt::format(" --{} {}", option, options.text(option));
}

}  // namespace

CommandSpec report_spec() {
  return {
      "report",
      "days, dollars, energy, carbon and how sure: text, Markdown, HTML, XLSX, CSV, PDF",
      {"reckon report mixtral.h5", "reckon report mixtral.h5 --out mixtral.html,mixtral.xlsx,mixtral.csv --force",
       "reckon report mixtral.h5 --assume 'use_share=0.9,electricity_price=0.06 USD/kWh' --format markdown"},
      {{"What if",
        {{.name = "assume", .argument = "LIST", .help = "other values for assumptions of the register: 'use_share=0.8,pue_ratio=1.1'"},
         {.name = "draws", .argument = "COUNT", .help = "random draws [default: those of the file]"},
         {.name = "seed", .argument = "NUMBER", .help = "of the random draws [default: that of the file]"}}},
       {"Output",
        {{.name = "currency",
          .argument = "RATE",
          .help = "of all amounts, with USD for one unit and the date of the rate: 'EUR=1.08@2026-11-01' [default: USD]"},
         {.name = "format", .argument = "FORMAT", .fallback = "text", .help = "of stdout: text, markdown, html, csv or json"},
         {.name = "out", .argument = "LIST", .help = "files to write, by suffix: .txt .md .html .csv .json .xlsx .pdf", .letter = 'o'},
         {.name = "force", .help = "replace files that exist", .letter = 'f'},
         {.name = "json", .help = "the same as --format json"},
         {.name = "quiet", .help = "no notes", .letter = 'q'}}}},
      {"FILE", "a file written by 'reckon plan --out FILE'", 1, 1},
      "The XLSX file holds live formulas: change a value on its sheet Assumptions, and totals follow as --assume would make them. The HTML "
      "page is one file without scripts or requests and prints on A4 and Letter. A PDF needs chromium, wkhtmltopdf or weasyprint."};
}

CommandResult run_report(const ParsedOptions& options, const MpiSession& session) {
  const std::string format = options.flag("json") ? "json" : options.choice("format", formats);
  const std::vector<Output> files = outputs(options);
  PlanResults results = read_results(options.words()[0]);
  reassume(options, results);
  convert(options, results);
  std::vector<std::string> contents;
  for (const Output& output : files) contents.push_back(rendered(results, output.format));
  const bool whole = files.empty() || options.given("format") || options.flag("json");
  const std::string answer = whole ? rendered(results, format) : results.answer.sentence + "\n" + cost_summary(results);
  for (std::size_t i = 0; i < files.size(); ++i) {
    write_file(files[i].file, contents[i], options.flag("force"));
    if (!options.flag("quiet")) note(session, "wrote " + files[i].file.string());
  }
  return {answer};
}

}  // namespace reckon
