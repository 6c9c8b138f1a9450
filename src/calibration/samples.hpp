// What `reckon calibrate` measured, as it was measured: the raw material of the fits, kept in the calibration file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/quantity.hpp"
#include "calibration/attention.hpp"
#include "calibration/gemm.hpp"
#include "calibration/links.hpp"
#include "calibration/stream_kernel.hpp"
#include "calibration/timed.hpp"
#include "catalog/precision.hpp"

namespace reckon {

struct GemmSample {
  Precision precision = Precision::fp32;
  GemmRole role = GemmRole::forward;
  GemmShape shape;  ///< of the product itself: a weight gradient is out x in over rows
  Timed time;
};

struct AttentionSample {
  Precision precision = Precision::fp32;
  Pass pass = Pass::forward;
  AttentionShape shape;
  Timed time;
};

struct StreamSample {
  Precision precision = Precision::fp32;
  StreamKernel kernel = StreamKernel::copy;
  Bytes traffic;  ///< its work's bytes: reads and writes together
  Timed time;
};

struct LinkSample {
  Collective collective = Collective::all_reduce;
  std::int64_t ranks = 2;
  Bytes size;  ///< as collective_time counts it
  Timed time;
};

/// A message under way while a product runs: how much of the shorter one the longer one hides, and what both cost together.
struct OverlapSample {
  Bytes size;
  Seconds compute, message, together;
  /// 1 when nothing is lost, 0 when they follow each other, negative when they hinder each other.
  double hidden() const {
    const Seconds shorter = min(compute, message);
    return shorter > Seconds{} ? (compute + message - together) / shorter : 0.0;
  }
};

struct StorageSample {
  std::string what;  ///< "checkpoint write", "data read"
  Bytes size;        ///< of all ranks together
  Timed time;
};

struct Samples {
  std::vector<GemmSample> gemm;
  std::vector<AttentionSample> attention;
  std::vector<StreamSample> streams;
  std::vector<LinkSample> links;
  std::vector<OverlapSample> overlap;
  std::vector<StorageSample> storage;
};

}  // namespace reckon
