// Training text, byte by byte: which sequences a step trains on, and which are held back for validation.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace reckon::train {

class TextData {
 public:
  /// The last `held_back` of the text (a share) is for validation.  Throws ConfigError with `name` when either part has no whole sequence
  /// of `seq_len` tokens and the one that follows it.
  TextData(std::string text, const std::string& name, std::int64_t seq_len, double held_back);

  /// seq_len + 1 bytes: sequence `sample` of step `step`, at a place that depends on them and the seed alone.
  std::string_view training(std::uint64_t seed, std::int64_t step, std::int64_t sample) const;
  /// Sequence `sample` of `samples` at equal distances in the part held back.
  std::string_view validation(std::int64_t sample, std::int64_t samples) const;

  std::int64_t size() const { return std::int64_t(text_.size()); }
  /// FNV-1a of the text: a checkpoint knows its data by it.
  std::uint64_t digest() const { return digest_; }

 private:
  std::string text_;
  std::int64_t seq_len_, training_size_;
  std::uint64_t digest_ = 0xcbf29ce484222325u;
};

}  // namespace reckon::train
