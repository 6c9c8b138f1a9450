// A sheet of named numbers, each an assumption or a formula of cells above it.
//
// The formulas are texts that a spreadsheet understands when its cells carry the same names: what we evaluate, draw at random and turn by
// ten per cent is what the reader of the XLSX file can change.  Grammar:
//
//   expression := sum [ (< | <= | > | >= | =) sum ]        sum := term { (+ | -) term }        term := factor { (* | /) factor }
//   factor := number | name | function(expression, ...) | (expression) | - factor
//   functions: min max sqrt ln exp round(x, places) roundup(x, 0) if(condition, then, else)
//
// Names are lower case with an underscore (`wall_hours`), so that none looks like the address of a cell.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace reckon {

struct SheetCell {
  std::string name, title, unit;
  std::string formula;  ///< empty for an assumption
};

/// Formulas, compiled once.  Values are passed beside it, one a cell, so that one sheet serves many draws.
class Sheet {
 public:
  Sheet() = default;
  /// Throws TextError for a name that is malformed, unknown, repeated or used before its cell, and for a formula that does not parse.
  explicit Sheet(std::vector<SheetCell> cells);

  const std::vector<SheetCell>& cells() const { return cells_; }
  std::size_t size() const { return cells_.size(); }
  bool has(std::string_view name) const { return index_.find(name) != index_.end(); }
  /// Throws TextError for an unknown name.
  std::size_t index(std::string_view name) const;

  /// Fills the formula cells of `values` (one a cell) from the assumptions in it.
  void evaluate(std::vector<double>& values) const { evaluate_until(size(), values); }
  /// The same for the first `end` cells only.
  void evaluate_until(std::size_t end, std::vector<double>& values) const;

  /// The assumptions that `cell` depends on, ascending.
  std::vector<std::size_t> inputs_of(std::size_t cell) const;

  /// The formula as a spreadsheet writes it, without the leading '=': functions in capitals.
  std::string spreadsheet_formula(std::size_t cell) const;

 private:
  enum class Code : unsigned char {
    number,
    cell,
    add,
    subtract,
    multiply,
    divide,
    negate,
    less,
    less_equal,
    more,
    more_equal,
    equal,
    min,
    max,
    sqrt,
    ln,
    exp,
    round,
    roundup,
    choose
  };
  struct Step {
    Code code = Code::number;
    double number = 0;     // of `number`
    std::size_t cell = 0;  // of `cell`
  };
  friend class SheetParser;

  static double unary(Code code, double a);
  static double binary(Code code, double a, double b);
  double run(const std::vector<Step>& program, const std::vector<double>& values) const;

  std::vector<SheetCell> cells_;
  std::map<std::string, std::size_t, std::less<>> index_;
  std::vector<std::vector<Step>> programs_;  // empty for assumptions
};

}  // namespace reckon
