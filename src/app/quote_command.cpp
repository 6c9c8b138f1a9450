// reckon quote: offers of suppliers, normalised, carried through to the run they are for, ranked.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "app/command.hpp"
#include "app/cost_options.hpp"
#include "app/planner.hpp"
#include "app/progress.hpp"
#include "app/provenance.hpp"
#include "app/question_options.hpp"
#include "app/run_options.hpp"
#include "app/scene.hpp"
#include "app/together.hpp"
#include "app/version.hpp"
#include "base/text.hpp"
#include "io/atomic_file.hpp"
#include "io/data_path.hpp"
#include "io/quote_files.hpp"
#include "io/quote_json.hpp"
#include "report/quote_report.hpp"

namespace reckon {
namespace {

const std::vector<std::string> formats{"text", "markdown", "html", "json"};
const std::map<std::string, std::string> format_of_suffix{{".txt", "text"}, {".md", "markdown"}, {".html", "html"}, {".json", "json"}};

/// Options of a group but for the places: an offer names its own device.
OptionGroup without_place(OptionGroup group) {
  std::erase_if(group.options, [](const OptionSpec& o) { return o.name == "cluster" || o.name == "device"; });
  group.title = "The software";
  return group;
}

ExchangeRates given_rates(const ParsedOptions& options) {
  ExchangeRates rates;
  if (!options.given("rate")) return rates;
  for (const std::string& item : options.list("rate")) try {
      const auto [code, rate] = parse_rate(item);
      if (!rates.emplace(code, rate).second) options.fail("rate", code + " is given twice", "give each currency once");
    } catch (const TextError& error) {
      options.fail("rate", error.reason(), error.cure());
    }
  return rates;
}

/// Every offer of all files with the rates that go with it: those of the command line before those of its file.
struct Offers {
  std::vector<Quote> quotes;
  std::vector<ExchangeRates> rates;
};

Offers read_offers(const ParsedOptions& options) {
  Offers out;
  const ExchangeRates given = given_rates(options);
  for (const std::string& file : options.words()) {
    QuoteFile read = read_quotes(file);
    ExchangeRates rates = given;
    rates.insert(read.rates.begin(), read.rates.end());
    for (Quote& quote : read.quotes) {
      for (const Quote& other : out.quotes)
        if (other.id == quote.id)
          throw ConfigError(quote.place, "", "the quote " + in_quotes(quote.id) + " is also at " + other.place,
                            "give each quote its own id");
      out.quotes.push_back(std::move(quote));
      out.rates.push_back(rates);
    }
  }
  return out;
}

/// USD for one unit of the currency of `money`.
ExchangeRate rate_for(const QuotedMoney& money, const ExchangeRates& rates, const Quote& quote) {
  if (money.currency == "USD") return {1, "", ""};
  const auto found = rates.find(money.currency);
  if (found == rates.end())
    throw ConfigError(quote.place, "", "prices in " + money.currency + ", and no exchange rate for it",
                      "give --rate " + money.currency + "=RATE@DATE, e.g. --rate EUR=1.08@2026-11-01");
  return found->second;
}

std::string scenario_of(const Quote& q) {
  if (q.kind == "purchase") return "buy";
  if (q.kind == "reserved") return "reserved_term";
  return q.kind == "spot" ? "spot" : q.kind == "capacity-block" ? "block" : "on_demand";
}

/// One offer's way from device to plan.
struct Case {
  QuoteOutcome outcome;
  CostBasis basis;
  std::unique_ptr<Scene> scene;
  PlanQuestion question;
  std::vector<PlanPoint> plan;  // one, or none
};

Case plan_offer(const ParsedOptions& options, const Quote& quote, const ExchangeRates& rates, const std::filesystem::path& models) {
  Case c;
  QuoteOutcome& o = c.outcome;
  o.quote = quote;
  const ExchangeRate rate = rate_for(quote.price, rates, quote);
  o.usd_rate = rate.usd;
  o.rate_date = rate.date;
  o.usd_price = Decimal::nearest(quote.price.value * rate.usd);
  o.expired = options.given("date") && quote.valid_until && *quote.valid_until < options.text("date");
  const SceneNames names{options.text("model"), options.find("as").value_or(""), options.find("name").value_or(""), quote.device,
                         options.text("stack")};
  try {
    c.scene = std::make_unique<Scene>(load_scene(names, models));
  } catch (const UsageError& error) {
    throw ConfigError(quote.place, "", "the device " + in_quotes(quote.device) + ": " + std::string(split(error.what(), '\n')[0]),
                      "see 'reckon catalog devices'");
  }
  std::vector<Assumption> assumptions;
  const Question question = read_question(options, *c.scene, "batch", assumptions);
  c.question = plan_question(question, *c.scene);
  read_amount(options, c.question);
  read_failures(options, c.question.run.failures, assumptions);
  c.question.run.units = c.question.units;
  c.question.run.price = dollars_per_hour * std::max(1e-6, quote.kind == "purchase" ? 1.0 : o.usd_price.value());
  c.question.run.device_power = wall_power(c.scene->cluster);
  c.question.price_name = "given";
  c.basis = read_cost_basis(options, *c.scene, models, c.question);
  const PlannedSize planned = plan_size(question, c.question.run, quote.devices, 1);
  if (planned.candidates.empty())
    o.remark = planned.size.remark.empty() ? "no strategy divides this number of devices" : planned.size.remark;
  else
    c.plan.push_back(planned.candidates[0]);
  return c;
}

/// The catalogue's prices go, the offer's come.
void take_offer(Case& c, const ExchangeRates& rates) {
  const Quote& q = c.outcome.quote;
  std::vector<CostAssumption>& list = c.basis.assumptions;
  std::erase_if(list, [](const CostAssumption& a) {
    return std::any_of(known_scenarios().begin(), known_scenarios().end(), [&](const CostScenario& s) { return s.price == a.name; });
  });
  c.basis.chosen = scenario_of(q);
  const auto quoted = [&](const std::string& name, double value) {
    put_assumption(list, fixed_assumption(name, value, "given", "quote " + q.id));
  };
  quoted(q.kind == "purchase" ? "server_price" : "price_" + c.basis.chosen, c.outcome.usd_price.value());
  if (q.term_months) quoted("term_months", *q.term_months);
  if (q.delivery_days) quoted("slip_days", *q.delivery_days);
  const auto money = [&](const std::string& name, const std::optional<QuotedMoney>& m) {
    if (m) quoted(name, Decimal::nearest(m->value * rate_for(*m, rates, q).usd).value());
  };
  money("storage_price", q.storage_price);
  money("egress_price", q.egress_price);
  money("exit_cost", q.exit_cost);
}

void study_offer(Case& c) {
  if (c.plan.empty()) return;
  QuoteOutcome& o = c.outcome;
  const CostStudy study = study_of(c.basis, c.plan[0]);
  const std::vector<double> rows = draw_rows(study.model, c.basis.seed, 0, c.basis.draws);
  const Uncertainty u = reduce_draws(study.model, c.basis.seed, c.basis.draws, rows);
  o.total = study.ledger.total(study.model.chosen);
  for (const Distribution& d : u.results) {
    if (d.name == "calendar_days") o.days = d.spread;
    if (d.name == study.model.chosen) o.cost = d.spread;
  }
  if (c.question.deadline) {
    const std::size_t width = draw_columns(study.model).size();
    std::int64_t kept = 0;
    for (std::size_t i = 0; i < rows.size(); i += width) kept += rows[i] <= c.question.deadline->in(days) ? 1 : 0;
    o.chance = static_cast<double>(kept) / static_cast<double>(c.basis.draws);
  }
  const double work = study.value("run_work") * study.value("run_count"), units = study.value("unit_count") * study.value("run_count");
  o.usd_per_exaflop = work > 0 ? o.total.value() / work : 0;
  o.usd_per_billion = units > 0 ? o.total.value() / units : 0;
  if (study.model.sheet.has("break_even_share")) {
    o.break_even_share = study.value("break_even_share");
    o.break_even_months = study.value("break_even_months");
  }
}

/// A purchase is set against the cheapest rent that binds nobody, of the same device.
void add_rent(std::vector<Case>& cases) {
  for (Case& bought : cases) {
    if (bought.outcome.quote.kind != "purchase") continue;
    const Case* cheapest = nullptr;
    for (const Case& c : cases) {
      const Quote& q = c.outcome.quote;
      if (q.kind == "purchase" || q.kind == "spot" || c.scene->cluster.device.id != bought.scene->cluster.device.id) continue;
      if (cheapest == nullptr || c.outcome.usd_price.micro() < cheapest->outcome.usd_price.micro()) cheapest = &c;
    }
    if (cheapest == nullptr) continue;
    bought.outcome.against = cheapest->outcome.quote.id;
    put_assumption(bought.basis.assumptions,
                   fixed_assumption("price_given", cheapest->outcome.usd_price.value(), "given", "quote " + cheapest->outcome.quote.id));
  }
}

std::string rendered(const std::vector<QuoteOutcome>& outcomes, const QuotePurpose& purpose, const std::string& command,
                     const std::string& format) {
  if (format == "json") return quotes_json(outcomes, purpose.model, purpose.units, command);
  const Document document = quote_report(outcomes, purpose);
  return format == "markdown" ? to_markdown(document) : format == "html" ? to_html(document) : to_text(document);
}

}  // namespace

CommandSpec quote_spec() {
  return {
      "quote",
      "offers of suppliers side by side, in dollars a useful unit, ranked by cost and value",
      {"reckon quote experiments/12-rents/quotes.csv --model llama-3-8b -t 1T --rate EUR=1.08@2026-11"},
      {training_options(),
       without_place(place_options()),
       amount_options(),
       {"The step", {{.name = "batch", .argument = "SIZE", .help = "of one step: sequences or samples, or '16M tokens'", .letter = 'b'}}},
       {"Offers",
        {{.name = "rate", .argument = "LIST", .help = "dated exchange rates to USD: EUR=1.08@2026-11-01"},
         {.name = "date", .argument = "DATE", .help = "today, to mark offers that are no longer valid: 2026-11-21"},
         {.name = "confidence", .argument = "SHARE", .fallback = "0.8", .help = "of keeping the deadline, for the rank by value"}}},
       goodput_options(),
       cost_options(),
       {"Output",
        {{.name = "format", .argument = "FORMAT", .fallback = "text", .help = "of stdout: text, markdown, html or json"},
         {.name = "out", .argument = "FILE", .help = "write it, by suffix: .txt .md .html .json", .letter = 'o'},
         {.name = "force", .help = "replace a file that exists", .letter = 'f'},
         {.name = "json", .help = "the same as --format json"},
         {.name = "quiet", .help = "no notes", .letter = 'q'}}}},
      {"FILE", "offers as .json or .csv", 1, 20},
      "A CSV file has the columns id, provider, device, devices, kind (on-demand, reserved, spot, capacity-block, purchase) and price "
      "('2.10 EUR/device-hour', a purchase '31000 USD/device'), and may have list_price, term_months, delivery_days, storage_price, "
      "egress_price, exit_cost, availability, warranty_years, valid_until, network, region, note. JSON has the same names, see "
      "src/io/quote_files.hpp. What is empty is not quoted, not zero. Every offer is planned: the best strategy on its devices."};
}

CommandResult run_quote(const ParsedOptions& options, const MpiSession& session) {
  const std::string format = options.flag("json") ? "json" : options.choice("format", formats);
  if (!options.given("model"))
    throw UsageError("the option '--model' is required", "say what the offers are for, e.g. --model llama-3-8b --tokens 1T");
  if (options.given("date") && !is_date(options.text("date")))
    options.fail("date", in_quotes(options.text("date")) + " is not a date", "write YYYY-MM-DD");
  std::string file_format;
  if (options.given("out")) {
    const auto found = format_of_suffix.find(lower(std::filesystem::path(options.text("out")).extension().string()));
    if (found == format_of_suffix.end()) options.fail("out", "has no known suffix", "end it in .txt, .md, .html or .json");
    file_format = found->second;
    check_target(options.text("out"), options.flag("force"));
  }
  const Offers offers = read_offers(options);
  const std::filesystem::path models = data_folder();
  std::vector<Case> cases;
  for (std::size_t i = 0; i < offers.quotes.size(); ++i) cases.push_back(plan_offer(options, offers.quotes[i], offers.rates[i], models));
  for (std::size_t i = 0; i < cases.size(); ++i) take_offer(cases[i], offers.rates[i]);
  add_rent(cases);
  std::vector<QuoteOutcome> outcomes;
  for (Case& c : cases) {
    study_offer(c);
    outcomes.push_back(c.outcome);
  }
  const double confidence = options.number("confidence", 0, 1);
  rank_quotes(outcomes, confidence);
  const std::string command = canonical_command(quote_spec(), options, {"out", "force", "quiet", "json", "format"});
  const PlanQuestion& q = cases[0].question;
  const QuotePurpose purpose{q.model,         q.units,
                             q.counts_tokens, q.deadline,
                             confidence,      "reckon " + version().number + " (git " + commit_text().substr(0, 12) + "); " + command};
  if (options.given("out")) {
    write_file(options.text("out"), rendered(outcomes, purpose, command, file_format), options.flag("force"));
    if (!options.flag("quiet")) note(session, "wrote " + options.text("out"));
  }
  const bool any = std::any_of(outcomes.begin(), outcomes.end(), [](const QuoteOutcome& o) { return o.remark.empty(); });
  return {rendered(outcomes, purpose, command, format), any ? ExitCode::ok : ExitCode::infeasible};
}

}  // namespace reckon
