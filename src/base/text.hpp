// Small text helpers for messages: suggestions, joins, quoting.  Bytes, not locales: only ASCII letters change case.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reckon {

/// ASCII lower case of `text`.
std::string lower(std::string_view text);

/// `text` without leading and trailing spaces and tabs.
std::string_view trim(std::string_view text);

/// The parts with `separator` between them.
std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// The parts of `text` between `separator`s; an empty text has one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);

/// True for well-formed UTF-8 (RFC 3629).
bool is_utf8(std::string_view text);

/// `text` with control characters and bytes that are not UTF-8 escaped, cut after `limit` bytes: safe on a terminal.
std::string printable(std::string_view text, std::size_t limit = 200);

/// printable() in single quotes.
std::string in_quotes(std::string_view text, std::size_t limit = 80);

/// Number of single-letter insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
/// Optimal string alignment distance: Damerau, Comm. ACM 7 (1964) 171.
int edit_distance(std::string_view a, std::string_view b);

/// The known word that `word` was probably meant to be: the nearest at a distance of at most 2 (1 for words of two or three letters), else
/// one that starts with `word`.  Case does not count.  Empty when nothing is near.
std::string nearest_word(std::string_view word, const std::vector<std::string>& known);

/// "did you mean 'x'?" for the nearest word; when nothing is near "one of: a, b, c" (cut after 12 names), or "" when nothing is known.
std::string suggestion(std::string_view word, const std::vector<std::string>& known);

}  // namespace reckon
