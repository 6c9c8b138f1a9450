// Price lists: one file a provider, one more for purchases.
// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "base/text.hpp"
#include "io/catalog_fields.hpp"
#include "io/catalog_files.hpp"

namespace reckon {
namespace {

/// `price`, or `low` and `high` with their mean; each divided by `devices`, the number of devices that the sum buys.
template <class Money>
struct Range {
  Money middle, low, high;
};
template <class Money>
Range<Money> read_range(const JsonNode& node) {
  const auto devices = static_cast<double>(node.at("devices", "how many devices the price buys").integer(1, 100000));
  if (const auto price = node.find("price")) {
    if (node.has("low") || node.has("high")) node.fail("price excludes low and high", "write \"price\", or \"low\" and \"high\"");
    const Money one = price->quantity<Money>() / devices;
    return {one, one, one};
  }
  const Money low = node.at("low", "the cheapest quote, or write \"price\"").template quantity<Money>() / devices;
  const Money high = node.at("high", "the dearest quote").template quantity<Money>() / devices;
  if (!(low <= high)) node.at("low").fail("low is above high");
  return {0.5 * (low + high), low, high};
}

/// The source that a quote names.
class QuoteSources {
 public:
  explicit QuoteSources(const JsonNode& root) : root_(root), sources_(read_sources(root)) {}

  Provenance of(const JsonNode& quote) {
    const JsonNode src = quote.at("src", "a key of /sources");
    const auto source = sources_.find(src.string());
    if (source == sources_.end()) {
      std::vector<std::string> known;
      for (const auto& [name, unused] : sources_) known.push_back(name);
      src.fail("unknown source " + in_quotes(src.string()), suggestion(src.string(), known));
    }
    used_.insert(source->first);
    return {{"", source->second}};
  }
  void refuse_unused() const {
    for (const auto& [key, source] : sources_)
      if (!used_.count(key)) root_.at("sources").at(key).fail("no price uses this source", "remove it");
  }

 private:
  JsonNode root_;
  std::map<std::string, Source> sources_;
  std::set<std::string> used_;
};

}  // namespace

std::vector<Price> read_prices(const JsonNode& root) {
  check_head(root, "reckon/prices/1");
  root.refuse_unknown({"format", "id", "provider", "prices", "notes", "sources"});
  read_texts(root, "notes");
  const std::string provider = root.at("provider", "a text").string();
  if (provider.empty()) root.at("provider").fail("provider is empty");
  const std::string prefix = root.at("id").string() + "-";
  QuoteSources sources(root);
  std::vector<Price> prices;
  for (const JsonNode& node : root.at("prices", "an array").items()) {
    node.refuse_unknown(
        {"id", "device", "instance", "kind", "price", "low", "high", "devices", "term_months", "date", "region", "src", "note"});
    Price p;
    p.id = node.at("id", "a text").string();
    if (!p.id.starts_with(prefix)) node.at("id").fail("the id does not begin with " + in_quotes(prefix));
    p.device = node.at("device", "the id of a device").string();
    p.provider = provider;
    p.instance = node.at("instance", "the cloud's name of it, or \"\"").string();
    p.kind = node.at("kind", "such as \"on-demand\"").string();
    const auto range = read_range<DollarsPerSecond>(node);
    p.per_device = range.middle;
    p.per_device_low = range.low;
    p.per_device_high = range.high;
    if (const auto term = node.find("term_months")) p.term_months = term->integer(1, 120);
    p.date = node.at("date", "\"YYYY-MM-DD\"").string();
    p.region = node.at("region", "a text, \"\" where the source names none").string();
    if (const auto note = node.find("note")) note->string();
    p.provenance = sources.of(node);
    refuse_problems(node, problems(p));
    prices.push_back(std::move(p));
  }
  sources.refuse_unused();
  return prices;
}

std::vector<PurchasePrice> read_purchases(const JsonNode& root) {
  check_head(root, "reckon/purchase-prices/1");
  root.refuse_unknown({"format", "id", "prices", "notes", "sources"});
  read_texts(root, "notes");
  QuoteSources sources(root);
  std::vector<PurchasePrice> prices;
  for (const JsonNode& node : root.at("prices", "an array").items()) {
    node.refuse_unknown({"id", "device", "what", "price", "low", "high", "devices", "date", "seller", "src", "note"});
    PurchasePrice p;
    p.id = node.at("id", "a text").string();
    p.device = node.at("device", "the id of a device").string();
    p.what = node.at("what", "what is sold, such as \"8-GPU HGX server\"").string();
    p.seller = node.at("seller", "a text, \"\" where the source names none").string();
    const auto range = read_range<Dollars>(node);
    p.per_device = range.middle;
    p.per_device_low = range.low;
    p.per_device_high = range.high;
    p.date = node.at("date", "\"YYYY-MM-DD\"").string();
    if (const auto note = node.find("note")) note->string();
    p.provenance = sources.of(node);
    refuse_problems(node, problems(p));
    prices.push_back(std::move(p));
  }
  sources.refuse_unused();
  return prices;
}

}  // namespace reckon
