// Messages that other programs measured: nccl-tests (text and JSON) and the OSU micro-benchmarks (text), as samples of links.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "calibration/samples.hpp"

namespace reckon {

/// What a file does not say itself.
struct ImportHints {
  std::optional<Collective> operation;
  std::int64_t ranks = 0;  ///< 0 = as the file says
};

struct ImportedLinks {
  std::string program;             ///< "nccl-tests", "OSU"
  std::string device;              ///< as the file names it; empty when it does not
  std::int64_t hosts = 0;          ///< 0 = the file does not say
  std::vector<LinkSample> samples;
};

/// Recognises the format by its content.  nccl-tests counts sizes as collective_time does and the faster of out-of-place and in-place is taken;
/// OSU gives the size that goes to or from one rank for all-gather and all-to-all, so that it is multiplied by the ranks here.
/// Rows of size or time 0 are left out; a row with wrong results ("#wrong" above 0) is refused.
/// Throws ConfigError with file and line for a text of another kind, a damaged row, an operation or a number of ranks that neither the file nor
/// the hints say, and a file without any row.
/// Sources: NVIDIA/nccl-tests src/util.cu (text, and JSON version 2); OSU micro-benchmarks 7 README.
ImportedLinks import_links(const std::string& text, const std::string& file, const ImportHints& hints);

}  // namespace reckon
