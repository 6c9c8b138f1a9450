// The flat form of a file's content.
// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_message.hpp"

#include <cstring>
#include <stdexcept>
#include <type_traits>

namespace reckon {
namespace {

/// Appends plain values and length-prefixed sequences.
class Writer {
 public:
  void put(std::uint64_t value) { out_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void put(std::int64_t value) { put(static_cast<std::uint64_t>(value)); }
  void put(double value) { out_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void put(const std::string& text) {
    put(std::uint64_t{text.size()});
    out_ += text;
  }
  template <class T>
  void put(const std::vector<T>& values) {
    put(std::uint64_t{values.size()});
    if constexpr (std::is_arithmetic_v<T>)
      out_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
    else
      for (const T& value : values) put(value);
  }
  template <class... T>
  void put(const std::variant<T...>& value) {
    put(std::uint64_t{value.index()});
    std::visit([this](const auto& held) { put(held); }, value);
  }
  void put(const Hdf5Attributes& attributes) {
    put(std::uint64_t{attributes.size()});
    for (const auto& [name, value] : attributes) put(name), put(value);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

class Reader {
 public:
  explicit Reader(std::string_view message) : rest_(message) {}

  void get(std::uint64_t& value) { copy(&value, sizeof value); }
  void get(std::int64_t& value) { copy(&value, sizeof value); }
  void get(double& value) { copy(&value, sizeof value); }
  void get(std::string& text) { text = std::string(bytes(length(1))); }
  template <class T>
  void get(std::vector<T>& values) {
    values.resize(length(8));
    if constexpr (std::is_arithmetic_v<T>)
      copy(values.data(), values.size() * sizeof(T));
    else
      for (T& value : values) get(value);
  }
  template <class... T>
  void get(std::variant<T...>& value) {
    std::uint64_t index = 0;
    get(index);
    std::uint64_t i = 0;
    const bool known = ((i++ == index ? (get(value.template emplace<T>()), true) : false) || ...);
    if (!known) throw std::runtime_error("unknown kind of value");
  }
  void get(Hdf5Attributes& attributes) {
    for (std::size_t left = length(16); left > 0; --left) {
      std::string name;
      get(name);
      get(attributes[name]);
    }
  }
  std::size_t length(std::size_t least_bytes_each) {
    std::uint64_t count = 0;
    get(count);
    if (count > rest_.size() / least_bytes_each) throw std::runtime_error("a length beyond the message");
    return static_cast<std::size_t>(count);
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view bytes(std::size_t count) {
    if (count > rest_.size()) throw std::runtime_error("the message ends early");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  void copy(void* to, std::size_t count) {
    const std::string_view from = bytes(count);
    if (count > 0) std::memcpy(to, from.data(), count);
  }

  std::string_view rest_;
};

}  // namespace

std::string encode(const Hdf5Contents& contents) {
  Writer writer;
  writer.put(std::uint64_t{contents.groups.size()});
  for (const auto& [path, attributes] : contents.groups) writer.put(path), writer.put(attributes);
  writer.put(std::uint64_t{contents.datasets.size()});
  for (const Hdf5Dataset& set : contents.datasets) {
    writer.put(set.path);
    writer.put(set.shape);
    writer.put(set.dimensions);
    writer.put(std::uint64_t{set.is_scale});
    writer.put(set.attributes);
    writer.put(set.values);
  }
  return writer.take();
}

Hdf5Contents decode(std::string_view message) {
  Reader reader(message);
  Hdf5Contents contents;
  for (std::size_t left = reader.length(16); left > 0; --left) {
    std::string path;
    reader.get(path);
    reader.get(contents.groups[path]);
  }
  contents.datasets.resize(reader.length(48));
  for (Hdf5Dataset& set : contents.datasets) {
    std::uint64_t is_scale = 0;
    reader.get(set.path);
    reader.get(set.shape);
    reader.get(set.dimensions);
    reader.get(is_scale);
    reader.get(set.attributes);
    reader.get(set.values);
    set.is_scale = is_scale != 0;
    std::uint64_t product = 1;
    for (const std::uint64_t size : set.shape)
      if (__builtin_mul_overflow(product, size, &product)) throw std::runtime_error("a shape that overflows");
    if (product != std::visit([](const auto& values) { return std::uint64_t{values.size()}; }, set.values)) throw std::runtime_error("a shape that does not fit its values");
  }
  if (!reader.at_end()) throw std::runtime_error("bytes after the end of the message");
  return contents;
}

}  // namespace reckon
