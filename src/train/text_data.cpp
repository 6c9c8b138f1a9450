// Sequences of a text.
// SPDX-License-Identifier: Apache-2.0
#include "train/text_data.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace reckon::train {

TextData::TextData(std::string text, const std::string& name, std::int64_t seq_len, double held_back)
    : text_(std::move(text)), seq_len_(seq_len), training_size_(size() - std::int64_t(double(size()) * held_back)) {
  const std::int64_t needed = seq_len + 1, validation_size = size() - training_size_;
  const auto check = [&](std::int64_t have, const char* part, const char* cure) {
    if (have < needed)
      throw ConfigError(name, "",
                        fmt::format("{} of the {} bytes are for {}, fewer than the {} of one sequence", have, size(), part, needed), cure);
  };
  check(training_size_, "training", "give a longer text or a shorter --seq-len");
  if (held_back > 0) check(validation_size, "validation", "give a longer text, a shorter --seq-len or a larger --held-back");
  for (const char c : text_) digest_ = (digest_ ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
}

std::string_view TextData::training(std::uint64_t seed, std::int64_t step, std::int64_t sample) const {
  std::uint64_t z = seed * 0xd1342543de82ef95u + std::uint64_t(step) * 0x9e3779b97f4a7c15u + std::uint64_t(sample) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  const auto places = std::uint64_t(training_size_ - seq_len_);
  return std::string_view(text_).substr(z % places, std::size_t(seq_len_ + 1));
}

std::string_view TextData::validation(std::int64_t sample, std::int64_t samples) const {
  const std::int64_t room = size() - training_size_ - seq_len_ - 1;
  const std::int64_t at = samples > 1 ? std::int64_t(double(room) * double(sample) / double(samples - 1)) : 0;
  return std::string_view(text_).substr(std::size_t(training_size_ + at), std::size_t(seq_len_ + 1));
}

}  // namespace reckon::train
