// SPDX-License-Identifier: Apache-2.0
#include "io/quote_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/error.hpp"
#include "base/quantity_text.hpp"
#include "base/text.hpp"
#include "catalog/device.hpp"
#include "io/csv.hpp"
#include "io/input_file.hpp"
#include "io/json.hpp"

namespace reckon {
namespace {

const std::vector<std::string> required{"id", "provider", "device", "devices", "kind", "price"};
const std::vector<std::string> optional_columns{"list_price",   "term_months", "delivery_days", "storage_price",
                                                "egress_price", "exit_cost",   "availability",  "warranty_years",
                                                "valid_until",  "network",     "region",        "note"};
const std::vector<std::string> kinds{"on-demand", "reserved", "spot", "capacity-block", "purchase"};

// ISO 4217:2015 with amendments, codes of circulating currencies.
constexpr std::string_view currencies =
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE "
    "CZK DJF DKK "
    "DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF "
    "KPW KRW KWD "
    "KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP "
    "PKR PLN PYG "
    "QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU "
    "UZS VES VND "
    "VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG";

using Fields = std::map<std::string, std::string>;  // what is quoted, as text

/// Money per one of `units`: "2.10 EUR/device-hour", "$2.10/h".
QuotedMoney parse_money(std::string_view text, const std::vector<std::string>& units, double most) {
  std::string_view rest = trim(text);
  if (rest.starts_with('-')) throw TextError(in_quotes(text) + " is negative", "give what is paid; leave out what is not quoted");
  QuotedMoney out;
  if (rest.starts_with('$')) {
    out.currency = "USD";
    rest.remove_prefix(1);
  }
  std::size_t length = rest.find_first_not_of("0123456789.,eE+");
  if (length == std::string_view::npos) length = rest.size();
  const std::string number(rest.substr(0, length));
  std::string_view unit = trim(rest.substr(length));
  if (out.currency.empty()) {
    if (unit.size() < 3)
      throw TextError(in_quotes(text) + " names no currency",
                      "write a code of ISO 4217, e.g. 2.10 EUR" + (units[0].empty() ? "" : "/" + units[0]));
    out.currency = std::string(unit.substr(0, 3));
    if (!is_currency(out.currency))
      throw TextError(in_quotes(out.currency) + " is no currency of ISO 4217", "write its three letters, e.g. USD, EUR, CNY");
    unit = trim(unit.substr(3));
  }
  if (unit.starts_with('/')) unit = trim(unit.substr(1));
  const std::string small = lower(unit);
  if (small.find("node") != std::string::npos || small.find("server") != std::string::npos || small.find("instance") != std::string::npos)
    throw TextError(in_quotes(text) + " is for a whole node", "divide by the devices of a node");
  if (std::find(units.begin(), units.end(), small) == units.end())
    throw TextError(in_quotes(text) + " is not in money" + (units[0].empty() ? "" : " a " + units[0]),
                    "write e.g. 2.10 " + out.currency + (units[0].empty() ? "" : "/" + units[0]));
  out.value = parse_number(number, 0, most);
  return out;
}

std::string plain_text(const std::string& text) {
  if (!text.empty() && std::string_view("=+-@\t").find(text[0]) != std::string_view::npos)
    throw TextError(in_quotes(text) + " begins like a formula of a spreadsheet", "begin with a letter or number");
  if (text.size() > 200) throw TextError("a text of more than 200 bytes", "shorten it");
  if (!is_utf8(text) || printable(text, 1000) != text) throw TextError(in_quotes(text) + " holds control characters", "write plain text");
  return text;
}

std::string date_text(const std::string& text) {
  if (!is_date(text)) throw TextError(in_quotes(text) + " is not a date", "write YYYY-MM-DD");
  return text;
}

/// Reads one quote; `at` runs a reader of one field and adds the place to its errors.
template <class At>
Quote quote_of(const Fields& fields, const At& at) {
  Quote q;
  const auto text = [&](const std::string& name) { return fields.at(name); };
  const auto given = [&](const std::string& name) { return fields.contains(name); };
  at("id", [&] {
    q.id = plain_text(text("id"));
    if (q.id.empty()) throw TextError("the id is empty", "name the quote");
  });
  at("provider", [&] { q.provider = plain_text(text("provider")); });
  at("device", [&] { q.device = plain_text(text("device")); });
  at("devices", [&] { q.devices = parse_count(text("devices"), 1, 1'000'000); });
  at("kind", [&] {
    q.kind = text("kind");
    if (std::find(kinds.begin(), kinds.end(), q.kind) == kinds.end())
      throw TextError(in_quotes(q.kind) + " is no kind of offer", suggestion(q.kind, kinds));
  });
  const bool bought = q.kind == "purchase";
  const std::vector<std::string> hour{"device-hour", "gpu-hour", "gpu-h", "device-h", "h", "hour"}, device{"device", "gpu"};
  const auto money = [&](const std::string& name) { return parse_money(text(name), bought ? device : hour, bought ? 1e7 : 1e4); };
  at("price", [&] {
    q.price = money("price");
    if (q.price.value <= 0) throw TextError("a price of nothing", "give the price; leave the quote out when there is none");
  });
  if (given("list_price")) at("list_price", [&] { q.list_price = money("list_price"); });
  if (given("storage_price")) at("storage_price", [&] { q.storage_price = parse_money(text("storage_price"), {"gb-month"}, 100); });
  if (given("egress_price")) at("egress_price", [&] { q.egress_price = parse_money(text("egress_price"), {"gb"}, 100); });
  if (given("exit_cost")) at("exit_cost", [&] { q.exit_cost = parse_money(text("exit_cost"), {""}, 1e12); });
  const auto number = [&](const std::string& name, std::optional<double>& to, double most) {
    if (given(name)) at(name, [&] { to = parse_number(text(name), 0, most); });
  };
  number("term_months", q.term_months, 240);
  number("delivery_days", q.delivery_days, 3650);
  number("availability", q.availability, 1);
  number("warranty_years", q.warranty_years, 50);
  if (given("valid_until")) at("valid_until", [&] { q.valid_until = date_text(text("valid_until")); });
  for (const auto& [name, to] : {std::pair{"network", &q.network}, {"region", &q.region}, {"note", &q.note}})
    if (given(name)) at(name, [&] { *to = plain_text(text(name)); });
  if (q.kind == "reserved" && !q.term_months)
    at("kind", [] { throw TextError("a reservation without term_months", "say how long it binds"); });
  return q;
}

void refuse_repeated(const std::vector<Quote>& quotes, const Quote& quote, auto fail) {
  for (const Quote& other : quotes)
    if (other.id == quote.id) fail("the quote " + in_quotes(quote.id) + " is listed twice");
}

QuoteFile read_json_quotes(const std::filesystem::path& path) {
  const JsonDocument document = read_json(path);
  const JsonNode root = document.root();
  QuoteFile out;
  out.text = document.text();
  root.refuse_unknown({"format", "quotes", "rates", "notes"});
  const JsonNode format = root.at("format", "\"reckon/quotes/1\"");
  if (format.string() != "reckon/quotes/1") format.fail("the format is " + in_quotes(format.string()), "write \"reckon/quotes/1\"");
  for (const JsonNode& node : root.at("quotes", "an array").items()) {
    node.refuse_unknown(quote_columns());
    Fields fields;
    for (const auto& [key, value] : node.members()) {
      if (value.is_null()) continue;
      fields[key] = value.is_string()  ? value.string()
                    : key == "devices" ? fmt::to_string(value.integer(1, 1'000'000))
                                       : fmt::format("{}", value.number(0, 1e12));
    }
    for (const std::string& name : required)
      if (!fields.contains(name)) node.at(name, "see 'reckon quote --help'").fail("is not quoted", "a quote needs " + name);
    Quote quote = quote_of(fields, [&](const std::string& name, auto read) {
      try {
        read();
      } catch (const TextError& error) {
        node.at(name).fail(error.reason(), error.cure());
      }
    });
    refuse_repeated(out.quotes, quote, [&](const std::string& reason) { node.at("id").fail(reason, "give each quote its own id"); });
    quote.place = path.string() + " at " + node.pointer();
    out.quotes.push_back(std::move(quote));
  }
  if (out.quotes.empty()) root.at("quotes").fail("no quotes", "list at least one");
  if (const auto rates = root.find("rates"))
    for (const auto& [code, node] : rates->members()) {
      node.refuse_unknown({"usd", "date", "source"});
      if (!is_currency(code)) node.fail(in_quotes(code) + " is no currency of ISO 4217", "write its three letters");
      ExchangeRate rate{node.at("usd", "USD for one unit").number(1e-9, 1e9), node.at("date", "YYYY-MM-DD").string(), path.string()};
      if (!is_date(rate.date)) node.at("date").fail(in_quotes(rate.date) + " is not a date", "write YYYY-MM-DD");
      if (const auto source = node.find("source")) rate.source = source->string();
      out.rates[code] = rate;
    }
  return out;
}

QuoteFile read_csv_quotes(const std::filesystem::path& path) {
  QuoteFile out;
  out.text = read_input_file(path);
  const std::string name = path.string();
  const std::vector<CsvRow> rows = parse_csv(out.text, name);
  if (rows.empty()) throw ConfigError(name, "", "the file is empty", "write a head and a line for each quote");
  const std::vector<std::string>& head = rows[0].fields;
  std::set<std::string> seen;
  for (const std::string& column : head) {
    const auto& known = quote_columns();
    if (std::find(known.begin(), known.end(), column) == known.end())
      throw ConfigError(name, "1", "unknown column " + in_quotes(column), suggestion(column, known));
    if (!seen.insert(column).second) throw ConfigError(name, "1", "the column " + in_quotes(column) + " stands twice", "keep one");
  }
  for (const std::string& column : required)
    if (!seen.contains(column))
      throw ConfigError(name, "1", "the column " + in_quotes(column) + " is missing", "a quote needs " + join(required, ", "));
  for (std::size_t r = 1; r < rows.size(); ++r) {
    const std::string line = std::to_string(rows[r].line);
    Fields fields;
    for (std::size_t i = 0; i < head.size(); ++i)
      if (!rows[r].fields[i].empty()) fields[head[i]] = rows[r].fields[i];
    for (const std::string& column : required)
      if (!fields.contains(column)) throw ConfigError(name, line, column + " is empty", "a quote needs " + column);
    Quote quote = quote_of(fields, [&](const std::string& column, auto read) {
      try {
        read();
      } catch (const TextError& error) {
        throw ConfigError(name, line, column + ": " + error.reason(), error.cure());
      }
    });
    refuse_repeated(out.quotes, quote,
                    [&](const std::string& reason) { throw ConfigError(name, line, reason, "give each quote its own id"); });
    quote.place = name + ":" + line;
    out.quotes.push_back(std::move(quote));
  }
  if (out.quotes.empty()) throw ConfigError(name, "", "no quotes", "write a line for each quote below the head");
  return out;
}

}  // namespace

const std::vector<std::string>& quote_columns() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> out = required;
    out.insert(out.end(), optional_columns.begin(), optional_columns.end());
    return out;
  }();
  return all;
}

QuoteFile read_quotes(const std::filesystem::path& path) {
  const std::string suffix = lower(path.extension().string());
  if (suffix == ".json") return read_json_quotes(path);
  if (suffix == ".csv") return read_csv_quotes(path);
  throw ConfigError(path.string(), "", "quotes are .json or .csv", "rename the file by what it holds");
}

std::pair<std::string, ExchangeRate> parse_rate(std::string_view text) {
  const std::string example = "write e.g. EUR=1.08@2026-11-01";
  const std::size_t sign = text.find('='), at = text.find('@');
  if (sign == std::string_view::npos || at == std::string_view::npos || at < sign)
    throw TextError(in_quotes(text) + " is no dated exchange rate", example);
  const std::string code(trim(text.substr(0, sign)));
  if (!is_currency(code)) throw TextError(in_quotes(code) + " is no currency of ISO 4217", example);
  ExchangeRate rate{parse_number(trim(text.substr(sign + 1, at - sign - 1)), 1e-9, 1e9), std::string(trim(text.substr(at + 1))), "--rate"};
  if (!is_date(rate.date)) throw TextError(in_quotes(rate.date) + " is not a date", example);
  return {code, rate};
}

bool is_currency(std::string_view code) {
  return code.size() == 3 && code.find(' ') == std::string_view::npos && currencies.find(code) != std::string_view::npos &&
         currencies.find(code) % 4 == 0;
}

}  // namespace reckon
