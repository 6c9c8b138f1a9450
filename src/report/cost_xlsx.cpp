// SPDX-License-Identifier: Apache-2.0
#include "report/cost_xlsx.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "projection/currency.hpp"
#include "report/verdict.hpp"

namespace reckon {
namespace {

namespace fs = std::filesystem;
constexpr std::time_t no_date = 946684800;  // 2000-01-01: a file without a stated date carries this one

std::time_t created_at(const std::string& iso) {
  std::tm moment{};
  return !iso.empty() && strptime(iso.c_str(), "%Y-%m-%dT%H:%M:%SZ", &moment) != nullptr ? timegm(&moment) : no_date;
}

/// A file that goes with the object: the library writes to a name, not to memory.
class TemporaryFile {
 public:
  TemporaryFile() : name_((fs::temp_directory_path() / "reckon-XXXXXX").string()) {
    const int file = mkstemp(name_.data());
    if (file < 0) throw FileError(name_, "no temporary file for the workbook", "set TMPDIR to a folder that can be written");
    close(file);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    std::error_code ignored;
    fs::remove(name_, ignored);
  }
  const std::string& name() const { return name_; }
  std::string content() const {
    std::ifstream file(name_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

 private:
  std::string name_;
};

class Workbook {
 public:
  Workbook(const PlanResults& r, const std::string& file) : r_(r), s_(*r.costs), book_(workbook_new(file.c_str())) {
    if (book_ == nullptr) throw FileError(file, "the workbook cannot be made");
    lxw_doc_properties properties{};
    title_ = r.question.model + " on " + r.question.device_name + ": days and dollars";
    comments_ = "Projection, not an invoice. " + r.provenance.uuid;
    properties.title = const_cast<char*>(title_.c_str());
    properties.comments = const_cast<char*>(comments_.c_str());
    properties.created = created_at(r.provenance.date);
    workbook_set_properties(book_, &properties);
    make_formats();
  }

  void write() {
    lxw_worksheet* summary = sheet("Summary");
    assumptions(sheet("Assumptions"));
    model(sheet("Model"));
    costs(sheet("Costs"));
    sizes(sheet("Sizes"));
    if (s_.uncertainty.draws > 0) uncertainty(sheet("Uncertainty"));
    provenance(sheet("Provenance"));
    this->summary(summary);
    worksheet_activate(summary);
    const lxw_error error = workbook_close(book_);
    if (error != LXW_NO_ERROR) throw FileError("the workbook", lxw_strerror(error));
  }

 private:
  lxw_worksheet* sheet(const char* name) {
    lxw_worksheet* s = workbook_add_worksheet(book_, name);
    worksheet_set_landscape(s);
    worksheet_set_paper(s, 9);  // A4
    worksheet_fit_to_pages(s, 1, 0);
    return s;
  }
  void make_formats() {
    head_ = workbook_add_format(book_);
    format_set_bold(head_);
    format_set_bottom(head_, LXW_BORDER_THIN);
    format_set_text_wrap(head_);
    bold_ = workbook_add_format(book_);
    format_set_bold(bold_);
    const std::string& code = s_.model.currency;
    const std::string money_format = "[$" + code + "] #,##0.00";
    money_ = workbook_add_format(book_);
    format_set_num_format(money_, money_format.c_str());
    total_ = workbook_add_format(book_);
    format_set_num_format(total_, money_format.c_str());
    format_set_bold(total_);
    format_set_top(total_, LXW_BORDER_THIN);
    price_ = workbook_add_format(book_);
    format_set_num_format(price_, "#,##0.00####");
    number_ = workbook_add_format(book_);
    format_set_num_format(number_, "#,##0.######");
    input_ = workbook_add_format(book_);
    format_set_num_format(input_, "#,##0.##########");
    format_set_bg_color(input_, 0xFFF4CC);
    format_set_border(input_, LXW_BORDER_HAIR);
    wrap_ = workbook_add_format(book_);
    format_set_text_wrap(wrap_);
    format_set_align(wrap_, LXW_ALIGN_VERTICAL_TOP);
  }
  void text(lxw_worksheet* s, lxw_row_t row, lxw_col_t column, const std::string& value, lxw_format* format = nullptr) {
    worksheet_write_string(s, row, column, printable(value, 2000).c_str(), format);
  }
  void formula(lxw_worksheet* s, lxw_row_t row, lxw_col_t column, const std::string& expression, double value, lxw_format* format) {
    worksheet_write_formula_num(s, row, column, ("=" + expression).c_str(), format, value);
  }
  void heads(lxw_worksheet* s, lxw_row_t row, const std::vector<std::pair<std::string, double>>& titles) {
    lxw_col_t column = 0;
    for (const auto& [title, width] : titles) {
      worksheet_set_column(s, column, column, width, nullptr);
      text(s, row, column++, title, head_);
    }
    worksheet_freeze_panes(s, row + 1, 0);
    worksheet_repeat_rows(s, row, row);
  }
  void define(const std::string& name, const char* sheet, const char* column, lxw_row_t row) {
    workbook_define_name(book_, name.c_str(), fmt::format("={}!${}${}", sheet, column, row + 1).c_str());
  }

  void assumptions(lxw_worksheet* s) {
    heads(s, 0,
          {{"No.", 6},
           {"assumption", 46},
           {"name", 22},
           {"value", 16},
           {"unit", 18},
           {"low", 14},
           {"high", 14},
           {"drawn as", 12},
           {"basis", 11},
           {"source", 70},
           {"date", 11},
           {s_.model.currency + " at -10 %", 18},
           {s_.model.currency + " at +10 %", 18}});
    lxw_row_t row = 1;
    for (std::size_t i = 0; i < s_.model.assumptions.size(); ++i, ++row) {
      const CostAssumption& a = s_.model.assumptions[i];
      text(s, row, 0, s_.label(a.name));
      text(s, row, 1, a.title);
      text(s, row, 2, a.name);
      worksheet_write_number(s, row, 3, a.value, input_);
      text(s, row, 4, a.unit);
      worksheet_write_number(s, row, 5, a.low, number_);
      worksheet_write_number(s, row, 6, a.high, number_);
      text(s, row, 7, spread_names()[static_cast<std::size_t>(a.spread)]);
      text(s, row, 8, a.basis);
      text(s, row, 9, a.source);
      text(s, row, 10, a.date);
      if (s_.uncertainty.draws > 0) {
        worksheet_write_number(s, row, 11, s_.uncertainty.sensitivities[i].minus_tenth, money_);
        worksheet_write_number(s, row, 12, s_.uncertainty.sensitivities[i].plus_tenth, money_);
      }
      define(a.name, "Assumptions", "D", row);
    }
    worksheet_print_area(s, 0, 0, row - 1, 12);
  }

  void model(lxw_worksheet* s) {
    heads(s, 0, {{"number", 60}, {"name", 26}, {"value", 20}, {"unit", 20}});
    lxw_row_t row = 1;
    for (std::size_t i = s_.model.assumptions.size(); i < s_.model.sheet.size(); ++i, ++row) {
      const SheetCell& cell = s_.model.sheet.cells()[i];
      text(s, row, 0, cell.title);
      text(s, row, 1, cell.name);
      formula(s, row, 2, s_.model.sheet.spreadsheet_formula(i), s_.values[i], number_);
      text(s, row, 3, cell.unit);
      define(cell.name, "Model", "C", row);
    }
    worksheet_print_area(s, 0, 0, row - 1, 3);
  }

  void costs(lxw_worksheet* s) {
    heads(s, 0,
          {{"way", 26},
           {"category", 14},
           {"item", 48},
           {"quantity", 20},
           {"unit", 16},
           {"unit price, " + s_.model.currency, 18},
           {"amount", 22},
           {"rests on", 60}});
    lxw_row_t row = 1;
    for (const CostScenario& scenario : s_.model.scenarios) {
      const lxw_row_t first = row;
      for (std::size_t i = 0; i < s_.ledger.rows.size(); ++i) {
        const LedgerRow& made = s_.ledger.rows[i];
        if (made.scenario != scenario.id) continue;
        text(s, row, 0, scenario.title);
        text(s, row, 1, made.category);
        text(s, row, 2, made.item);
        formula(s, row, 3, "ROUND(" + s_.model.rows[i].quantity + ",6)", made.quantity.value(), number_);
        text(s, row, 4, made.unit);
        formula(s, row, 5, "ROUND(" + s_.model.rows[i].unit_price + ",6)", made.unit_price.value(), price_);
        formula(s, row, 6, fmt::format("ROUND(D{0}*F{0},2)", row + 1), made.amount.value(), money_);
        std::vector<std::string> labels;
        for (const std::string& name : made.rests) labels.push_back(s_.label(name));
        text(s, row++, 7, join(labels, " "));
      }
      text(s, row, 0, scenario.title, bold_);
      text(s, row, 2, "total", bold_);
      formula(s, row, 6, fmt::format("SUM(G{}:G{})", first + 1, row), s_.ledger.total(scenario.id).value(), total_);
      define("total_" + scenario.id, "Costs", "G", row);
      row += 2;
    }
    worksheet_print_area(s, 0, 0, row - 1, 7);
  }

  /// The rent of the devices alone, for every size that was searched; a search is not a formula, so that only rent follows its price.
  void sizes(lxw_worksheet* s) {
    const std::string& code = r_.currency;
    heads(s, 0,
          {{"devices", 10},
           {"days", 12},
           {"device-hours", 20},
           {code + "/device-hour", 16},
           {"rent of the devices alone", 22},
           {"step, s", 12},
           {"MFU", 8},
           {"memory, GiB", 12},
           {"goodput", 9},
           {"on the front", 12},
           {"strategy or remark", 80}});
    lxw_row_t row = 1;
    for (const PlanSize& size : r_.sizes) {
      worksheet_write_number(s, row, 0, static_cast<double>(size.devices), number_);
      const PlanPoint* p = r_.best_of(size.devices);
      text(s, row, 10, p != nullptr ? describe(p->strategy) : size.remark);
      if (p != nullptr) {
        const Projection& t = p->projection;
        worksheet_write_number(s, row, 1, t.wall_time.in(days), number_);
        worksheet_write_number(s, row, 2, t.device_hours, number_);
        worksheet_write_number(s, row, 3, r_.question.run.price.in(dollars_per_hour), price_);
        formula(s, row, 4, fmt::format("ROUND(ROUND(C{0}*D{0},6),2)", row + 1), round_half_away(t.cost().base(), 2), money_);
        worksheet_write_number(s, row, 5, p->cost.time.total().base(), number_);
        worksheet_write_number(s, row, 6, p->cost.mfu, number_);
        worksheet_write_number(s, row, 7, p->cost.memory.total().in(gibibytes), number_);
        worksheet_write_number(s, row, 8, t.goodput.value, number_);
        text(s, row, 9, size.on_front ? "yes" : "no");
      }
      ++row;
    }
    worksheet_print_area(s, 0, 0, row - 1, 10);
  }

  void uncertainty(lxw_worksheet* s) {
    heads(s, 0,
          {{fmt::format("{} draws, seed {} (values, not formulas)", s_.uncertainty.draws, s_.uncertainty.seed), 50},
           {"unit", 10},
           {"P10", 20},
           {"P50", 20},
           {"P90", 20},
           {"mean", 20}});
    lxw_row_t row = 1;
    for (const Distribution& d : s_.uncertainty.results) {
      text(s, row, 0, d.title);
      text(s, row, 1, d.unit);
      lxw_col_t column = 2;
      for (const double v : {d.spread.p10, d.spread.p50, d.spread.p90, d.spread.mean})
        worksheet_write_number(s, row, column++, v, d.unit == s_.model.currency ? money_ : number_);
      ++row;
    }
    row += 1;
    for (const auto& [column, title] : std::map<lxw_col_t, std::string>{
             {0, "largest swings of the total"}, {2, "total at low"}, {3, "total at high"}, {4, "swing"}, {5, "share of the variance"}})
      text(s, row, column, title, head_);
    for (const Sensitivity* x : largest_swings(s_.uncertainty, 10)) {
      ++row;
      text(s, row, 0, s_.label(x->assumption) + " " + s_.model.assumptions[s_.model.sheet.index(x->assumption)].title);
      worksheet_write_number(s, row, 2, x->at_low, money_);
      worksheet_write_number(s, row, 3, x->at_high, money_);
      worksheet_write_number(s, row, 4, x->swing(), money_);
      worksheet_write_number(s, row, 5, x->variance_share, number_);
    }
    worksheet_print_area(s, 0, 0, row, 5);
  }

  void provenance(lxw_worksheet* s) {
    heads(s, 0, {{"what", 26}, {"value", 100}});
    const PlanProvenance& p = r_.provenance;
    std::vector<std::pair<std::string, std::string>> facts{{"program", "reckon " + p.version + " (git " + p.git_commit + ")"},
                                                           {"command", p.command_line},
                                                           {"date", p.date},
                                                           {"results", p.uuid},
                                                           {"currency", s_.model.currency + " (ISO 4217), without tax"}};
    if (const CostAssumption* rate = exchange_rate(s_))
      facts.emplace_back(rate->title,
                         fmt::format("{} ({}, {}), live: {} on the sheet Assumptions", rate->value, rate->source, rate->date, rate->name));
    for (const InputText& input : r_.inputs) facts.emplace_back(input.name + ": " + input.path, "sha256 " + input.sha256);
    for (const Assumption& a : r_.assumptions)
      facts.emplace_back(a.name, a.value + " (" + a.basis + "; " + a.source + (a.date.empty() ? "" : ", " + a.date) + ")");
    lxw_row_t row = 1;
    for (const auto& [name, value] : facts) {
      text(s, row, 0, name, wrap_);
      text(s, row++, 1, value, wrap_);
    }
    worksheet_print_area(s, 0, 0, row - 1, 1);
  }

  void summary(lxw_worksheet* s) {
    worksheet_set_column(s, 0, 0, 44, nullptr);
    worksheet_set_column(s, 1, 5, 20, nullptr);
    text(s, 0, 0, title_, bold_);
    text(s, 1, 0, judge(r_).sentence);
    text(s, 2, 0, "Change the yellow values of the sheet Assumptions; all numbers but the percentiles and the searched sizes follow.");
    lxw_row_t row = 4;
    for (const char* name : {"calendar_days", "wall_days", "energy_mwh", "average_mw", "peak_mw", "operational_t", "embodied_t",
                             "break_even_share", "break_even_months"}) {
      if (!s_.model.sheet.has(name)) continue;
      const SheetCell& cell = s_.model.sheet.cells()[s_.model.sheet.index(name)];
      text(s, row, 0, cell.title);
      formula(s, row, 1, name, s_.value(name), number_);
      text(s, row++, 2, cell.unit);
    }
    const lxw_row_t first = ++row;
    for (const auto& [column, title] : std::map<lxw_col_t, std::string>{{0, "way to come by the devices"},
                                                                        {1, "total"},
                                                                        {2, "P10"},
                                                                        {3, "P50"},
                                                                        {4, "P90"},
                                                                        {5, s_.model.currency + "/1e18 useful FLOP"}})
      text(s, row, column, title, head_);
    for (const CostScenario& scenario : s_.model.scenarios) {
      ++row;
      text(s, row, 0, scenario.title, scenario.id == s_.model.chosen ? bold_ : nullptr);
      const double total = s_.ledger.total(scenario.id).value(), work = s_.value("run_work") * s_.value("run_count");
      formula(s, row, 1, "total_" + scenario.id, total, scenario.id == s_.model.chosen ? total_ : money_);
      if (s_.uncertainty.draws > 0) {
        const Quantiles& q = s_.distribution(scenario.id).spread;
        worksheet_write_number(s, row, 2, q.p10, money_);
        worksheet_write_number(s, row, 3, q.p50, money_);
        worksheet_write_number(s, row, 4, q.p90, money_);
      }
      if (work > 0) formula(s, row, 5, "total_" + scenario.id + "/(run_work*run_count)", total / work, price_);
    }
    lxw_chart* chart = workbook_add_chart(book_, LXW_CHART_BAR);
    lxw_chart_series* series = chart_add_series(chart, nullptr, nullptr);
    chart_series_set_categories(series, "Summary", first + 1, 0, row, 0);
    chart_series_set_values(series, "Summary", first + 1, 1, row, 1);
    chart_title_set_name(chart, ("Total by way to come by the devices, " + s_.model.currency).c_str());
    chart_legend_set_position(chart, LXW_CHART_LEGEND_NONE);
    worksheet_insert_chart(s, row + 2, 0, chart);
    worksheet_print_area(s, 0, 0, row + 18, 5);
  }

  const PlanResults& r_;
  const CostStudy& s_;
  lxw_workbook* book_;
  std::string title_, comments_;
  lxw_format *head_ = nullptr, *bold_ = nullptr, *money_ = nullptr, *total_ = nullptr, *price_ = nullptr, *number_ = nullptr,
             *input_ = nullptr, *wrap_ = nullptr;
};

}  // namespace

std::string cost_xlsx(const PlanResults& r) {
  if (!r.costs)
    throw UsageError("the results hold no cost study", "there is none where no plan fits; a file of an older program is planned again");
  const TemporaryFile file;
  Workbook(r, file.name()).write();
  std::string content = file.content();
  if (content.size() < 1000) throw FileError(file.name(), "the workbook was not written", "set TMPDIR to a folder with space");
  return content;
}

}  // namespace reckon
