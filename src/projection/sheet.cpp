// SPDX-License-Identifier: Apache-2.0
#include "projection/sheet.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "projection/decimal.hpp"

namespace reckon {
namespace {

constexpr std::size_t deepest = 32;  // of the evaluation stack

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

}  // namespace

/// Recursive descent over one formula; emits postfix code.
class SheetParser {
 public:
  SheetParser(const Sheet& sheet, const std::string& text, std::size_t limit) : sheet_(sheet), text_(text), rest_(text), limit_(limit) {}

  std::vector<Sheet::Step> program() {
    expression(0);
    if (!rest_.empty()) fail("has " + in_quotes(rest_) + " after its end");
    return std::move(steps_);
  }

 private:
  using Code = Sheet::Code;

  [[noreturn]] void fail(const std::string& reason) const { throw TextError("the formula " + in_quotes(text_) + " " + reason); }
  void spaces() {
    while (!rest_.empty() && rest_[0] == ' ') rest_.remove_prefix(1);
  }
  bool take(std::string_view sign) {
    spaces();
    if (!rest_.starts_with(sign)) return false;
    rest_.remove_prefix(sign.size());
    spaces();
    return true;
  }
  void expect(std::string_view sign) {
    if (!take(sign)) fail("misses " + in_quotes(sign));
  }
  void emit(Code code) { steps_.push_back({code, 0, 0}); }

  void expression(int depth) {
    if (depth > 20) fail("is nested too deeply");
    sum(depth);
    static constexpr std::array<std::pair<std::string_view, Code>, 5> signs{
        {{"<=", Code::less_equal}, {">=", Code::more_equal}, {"<", Code::less}, {">", Code::more}, {"=", Code::equal}}};
    for (const auto& [sign, code] : signs)
      if (take(sign)) {
        sum(depth);
        return emit(code);
      }
  }
  void sum(int depth) {
    term(depth);
    for (;;) {
      const bool plus = take("+");
      if (!plus && !take("-")) return;
      term(depth);
      emit(plus ? Code::add : Code::subtract);
    }
  }
  void term(int depth) {
    factor(depth);
    for (;;) {
      const bool times = take("*");
      if (!times && !take("/")) return;
      factor(depth);
      emit(times ? Code::multiply : Code::divide);
    }
  }
  void factor(int depth) {
    if (depth > 20) fail("is nested too deeply");
    if (take("-")) {
      factor(depth + 1);
      return emit(Code::negate);
    }
    if (take("(")) {
      expression(depth + 1);
      return expect(")");
    }
    if (rest_.empty()) fail("ends too early");
    if (rest_[0] >= '0' && rest_[0] <= '9') return number();
    const auto length = static_cast<std::size_t>(std::find_if_not(rest_.begin(), rest_.end(), is_word) - rest_.begin());
    if (length == 0) fail("has " + in_quotes(rest_.substr(0, 1)) + " where a number or name is expected");
    const std::string_view word = rest_.substr(0, length);
    rest_.remove_prefix(length);
    if (take("(")) return function(word, depth);
    spaces();
    const auto cell = sheet_.index_.find(word);
    if (cell == sheet_.index_.end() || cell->second >= limit_) fail("uses " + in_quotes(word) + ", which no cell above it has");
    steps_.push_back({Code::cell, 0, cell->second});
  }
  void number() {
    double value = 0;
    const auto result = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (result.ec != std::errc()) fail("has a number that cannot be read");
    rest_.remove_prefix(static_cast<std::size_t>(result.ptr - rest_.data()));
    spaces();
    steps_.push_back({Code::number, value, 0});
  }
  void function(std::string_view name, int depth) {
    struct Known {
      std::string_view name;
      Code code;
      int arguments;
    };
    static constexpr std::array<Known, 8> known{{{"min", Code::min, 2},
                                                 {"max", Code::max, 2},
                                                 {"sqrt", Code::sqrt, 1},
                                                 {"ln", Code::ln, 1},
                                                 {"exp", Code::exp, 1},
                                                 {"round", Code::round, 2},
                                                 {"roundup", Code::roundup, 2},
                                                 {"if", Code::choose, 3}}};
    const auto found = std::find_if(known.begin(), known.end(), [name](const Known& k) { return k.name == name; });
    if (found == known.end()) fail("calls " + in_quotes(name) + ", which is no function");
    for (int i = 0; i < found->arguments; ++i) {
      if (i > 0) expect(",");
      expression(depth + 1);
    }
    expect(")");
    emit(found->code);
  }

  const Sheet& sheet_;
  const std::string& text_;
  std::string_view rest_;
  std::size_t limit_;
  std::vector<Sheet::Step> steps_;
};

Sheet::Sheet(std::vector<SheetCell> cells) : cells_(std::move(cells)) {
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const std::string& name = cells_[i].name;
    const bool plain = !name.empty() && name[0] >= 'a' && name[0] <= 'z' && std::all_of(name.begin(), name.end(), is_word);
    if (!plain || name.find('_') == std::string::npos || name.size() > 60)
      throw TextError(in_quotes(name) + " is no name of a cell", "write lower case letters with an underscore, e.g. wall_hours");
    if (!index_.emplace(name, i).second) throw TextError("two cells are named " + in_quotes(name));
  }
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    programs_.emplace_back();
    if (cells_[i].formula.size() > 1000) throw TextError("the formula of " + in_quotes(cells_[i].name) + " is too long");
    if (!cells_[i].formula.empty()) programs_.back() = SheetParser(*this, cells_[i].formula, i).program();
  }
}

std::size_t Sheet::index(std::string_view name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) {
    std::vector<std::string> known;
    for (const SheetCell& cell : cells_) known.push_back(cell.name);
    throw TextError("no number is named " + in_quotes(name), suggestion(name, known));
  }
  return found->second;
}

void Sheet::evaluate_until(std::size_t end, std::vector<double>& values) const {
  if (values.size() != cells_.size()) throw InternalError("a sheet is evaluated with the wrong number of values");
  for (std::size_t i = 0; i < end; ++i)
    if (!programs_[i].empty()) values[i] = run(programs_[i], values);
}

double Sheet::unary(Code code, double a) {
  if (code == Code::sqrt) return std::sqrt(a);
  if (code == Code::ln) return std::log(a);
  return code == Code::exp ? std::exp(a) : -a;
}

double Sheet::binary(Code code, double a, double b) {
  switch (code) {
    case Code::add:
      return a + b;
    case Code::subtract:
      return a - b;
    case Code::multiply:
      return a * b;
    case Code::divide:
      return a / b;
    case Code::less:
      return a < b ? 1.0 : 0.0;
    case Code::less_equal:
      return a <= b ? 1.0 : 0.0;
    case Code::more:
      return a > b ? 1.0 : 0.0;
    case Code::more_equal:
      return a >= b ? 1.0 : 0.0;
    case Code::equal:
      return a == b ? 1.0 : 0.0;
    case Code::min:
      return std::min(a, b);
    case Code::max:
      return std::max(a, b);
    case Code::round:
      return round_half_away(a, static_cast<int>(std::clamp(b, 0.0, 9.0)));
    default:  // roundup
      return a < 0 ? std::floor(a) : std::ceil(a);
  }
}

double Sheet::run(const std::vector<Step>& program, const std::vector<double>& values) const {
  std::array<double, deepest> stack;  // not cleared: this runs millions of times
  std::size_t top = 0;                // number of values on the stack
  const auto push = [&](double value) {
    if (top == deepest) throw TextError("a formula needs too many values at once");
    stack[top++] = value;
  };
  for (const Step& step : program) switch (step.code) {
      case Code::number:
        push(step.number);
        break;
      case Code::cell:
        push(values[step.cell]);
        break;
      case Code::negate:
      case Code::sqrt:
      case Code::ln:
      case Code::exp:
        stack[top - 1] = unary(step.code, stack[top - 1]);
        break;
      case Code::choose:  // condition, then, otherwise
        top -= 2;
        stack[top - 1] = stack[top - 1] != 0 ? stack[top] : stack[top + 1];
        break;
      default:
        --top;
        stack[top - 1] = binary(step.code, stack[top - 1], stack[top]);
    }
  return stack[0];
}

std::vector<std::size_t> Sheet::inputs_of(std::size_t cell) const {
  std::set<std::size_t> inputs, seen;
  std::vector<std::size_t> open{cell};
  while (!open.empty()) {
    const std::size_t at = open.back();
    open.pop_back();
    if (!seen.insert(at).second) continue;
    if (programs_.at(at).empty()) inputs.insert(at);
    for (const Step& step : programs_[at])
      if (step.code == Code::cell) open.push_back(step.cell);
  }
  return {inputs.begin(), inputs.end()};
}

std::string Sheet::spreadsheet_formula(std::size_t cell) const {
  const std::string& text = cells_.at(cell).formula;
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end == i) {
      out += text[i++];
      continue;
    }
    const bool call = end < text.size() && text[end] == '(';
    for (; i < end; ++i) out += call ? static_cast<char>(std::toupper(static_cast<unsigned char>(text[i]))) : text[i];
  }
  return out;
}

}  // namespace reckon
