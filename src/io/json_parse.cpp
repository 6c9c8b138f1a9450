// Strict JSON parsing with limits and places.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "io/input_file.hpp"
#include "io/json.hpp"
#include "io/json_content.hpp"

namespace reckon {
namespace {

using nlohmann::json;

constexpr std::size_t deepest = 64, most_values = 1'000'000, longest_key = 1000;

/// Walks the text and tells how far the parser has read.
class TrackedIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackedIterator(const char* position, const char** reached) : position_(position), reached_(reached) {}
  reference operator*() const { return *position_; }
  TrackedIterator& operator++() {
    *reached_ = ++position_;
    return *this;
  }
  TrackedIterator operator++(int) {
    TrackedIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const TrackedIterator& a, const TrackedIterator& b) { return a.position_ == b.position_; }
  friend bool operator!=(const TrackedIterator& a, const TrackedIterator& b) { return a.position_ != b.position_; }

 private:
  const char* position_;
  const char** reached_;
};

/// Builds the tree while counting depth and values and refusing duplicate keys.
class TreeBuilder : public nlohmann::json_sax<json> {
 public:
  TreeBuilder(const JsonContent& content, const char** reached) : content_(content), reached_(reached) {}

  json take() { return std::move(root_); }

  /// The library takes a zero byte for the end of the text and would ignore what follows.
  void refuse_zero_bytes() const {
    if (const auto zero = content_.text.find('\0'); zero != std::string::npos) fail(zero + 1, "not valid JSON: the text holds a zero byte");
  }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(json::number_integer_t value) override { return put(value); }
  bool number_unsigned(json::number_unsigned_t value) override { return put(value); }
  bool number_float(json::number_float_t value, const std::string&) override { return put(value); }
  bool string(std::string& value) override { return put(std::move(value)); }
  bool binary(json::binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& name) override {
    if (name.size() > longest_key) fail(here(), "the key " + in_quotes(name, 40) + " is longer than 1000 bytes");
    auto [place, inserted] = stack_.back()->get_ref<json::object_t&>().emplace(name, nullptr);
    if (!inserted) fail(static_cast<std::size_t>(*reached_ - content_.text.data()), "the key " + in_quotes(name) + " appears twice in one object", "remove one of them");
    slot_ = &place->second;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    std::string reason = error.what();
    if (const auto cut = reason.find("syntax error"); cut != std::string::npos) reason.erase(0, cut);
    if (const auto cut = reason.find("] "); cut != std::string::npos && reason[0] == '[') reason.erase(0, cut + 2);
    if (trim(content_.text).find_first_not_of("\r\n") == std::string_view::npos) reason = "the file is empty";
    fail(position, "not valid JSON: " + printable(reason));
  }

 private:
  [[noreturn]] void fail(std::size_t position, const std::string& reason, const std::string& cure = "") const {
    // `position` counts the bytes read, so that the last of them is the culprit.
    const std::string_view before = std::string_view(content_.text).substr(0, std::max<std::size_t>(position, 1) - 1);
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const std::size_t column = before.size() - (lines ? before.rfind('\n') + 1 : 0) + 1;
    throw ConfigError(content_.name, fmt::format("{}:{}", lines + 1, column), reason, cure);
  }

  std::size_t here() const { return static_cast<std::size_t>(*reached_ - content_.text.data()); }

  /// Stores a value where the last key, the array in work or the root wants it.
  json* place(json&& value) {
    if (++values_ > most_values) fail(here(), "the file has more than 1 million values", "split it");
    if (stack_.empty()) return &(root_ = std::move(value));
    if (stack_.back()->is_array()) return &stack_.back()->get_ref<json::array_t&>().emplace_back(std::move(value));
    return &(*slot_ = std::move(value));
  }
  template <class T>
  bool put(T&& value) {
    place(json(std::forward<T>(value)));
    return true;
  }
  bool open(json&& empty) {
    if (stack_.size() >= deepest) fail(here(), "the nesting is deeper than 64 levels");
    stack_.push_back(place(std::move(empty)));
    return true;
  }
  bool close() {
    stack_.pop_back();
    return true;
  }

  const JsonContent& content_;
  const char** reached_;
  json root_;
  std::vector<json*> stack_;
  json* slot_ = nullptr;
  std::size_t values_ = 0;
};

}  // namespace

JsonDocument parse_json(std::string text, std::string name) {
  auto content = std::make_shared<JsonContent>();
  content->name = std::move(name);
  content->text = std::move(text);
  const char* reached = content->text.data();
  const char* end = reached + content->text.size();
  TreeBuilder builder(*content, &reached);
  builder.refuse_zero_bytes();
  if (!json::sax_parse(TrackedIterator(reached, &reached), TrackedIterator(end, &reached), &builder))
    throw ConfigError(content->name, "", "not valid JSON");
  content->root = builder.take();
  return JsonDocument(content);
}

JsonDocument read_json(const std::filesystem::path& path) { return parse_json(read_input_file(path), path.string()); }

}  // namespace reckon
