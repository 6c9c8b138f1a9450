// What a device really delivers: matrix products, attention, memory-bound kernels.  Fitted to published measurements.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "calibration/attention.hpp"
#include "calibration/gemm.hpp"
#include "calibration/measured_compute.hpp"
#include "catalog/device.hpp"
#include "catalog/precision.hpp"
#include "catalog/provenance.hpp"

namespace reckon {

/// How far a fit is from what it was fitted to: |predicted / measured - 1| over the points.
struct FitResidual {
  double points = 0;
  double median = 0, p90 = 0, worst = 0;
  double bias = 0;                                             ///< median of predicted / measured - 1
  double cross_validated_median = 0, cross_validated_p90 = 0;  ///< on folds of (n, k) pairs or (heads, head_dim) that the fit did not see
};

/// Memory-bound kernels: streams, norms, activations, optimiser steps.
///
///   t = latency + bytes / (bandwidth * efficiency)
///
/// `bandwidth` is the data sheet's, `efficiency` what a large device copy reaches.  Traffic that fits the L2 cache runs faster by
/// up to `cache_gain`, with 1 + (cache_gain - 1) / (1 + (bytes / cache)^2).
struct StreamParameters {
  BytesPerSecond bandwidth;
  double efficiency = 0.9;
  Seconds latency;
  Bytes cache;
  double cache_gain = 1.0;
};

struct GemmCalibration {
  GemmCost cost;
  bool derived = false;  ///< scaled from another precision or device, not fitted
  FitResidual residual;  ///< of burst_time against the table; zeros when derived
  Source source;
  /// The cast of the left operand that the table's times hold and predictions do not: 2 bytes a value over the time of its cast.
  struct Cast {
    BytesPerSecond bandwidth;  ///< 0 = none
    Seconds launch;
  } cast_in_table;
};

struct AttentionCalibration {
  AttentionCost cost;
  bool derived_forward = false, derived_backward = false;
  FitResidual residual;
  Source source;
};

/// A measured value that the calibration was checked against; the tests repeat the check.
struct CitedGemm {
  Precision precision = Precision::bf16;
  GemmShape shape;
  Seconds measured, predicted;  ///< predicted: burst_time by the fit script
};
struct CitedAttention {
  AttentionKernel kernel = AttentionKernel::flash2;
  AttentionShape shape;
  bool forward = true, backward = false;
  Seconds measured, predicted;
};

/// All that predictions read about the compute of one device.
struct ComputeCalibration {
  std::string device;        ///< id in the catalogue
  std::string derived_from;  ///< the device whose measurements were scaled; empty = measured itself
  std::array<std::optional<GemmCalibration>, all_precisions.size()> gemm;
  std::map<AttentionKernel, AttentionCalibration> attention;
  StreamParameters stream;
  std::string date;
  std::vector<std::string> notes;
  Provenance provenance;  ///< keys gemm.<precision>, attention.<kernel>, stream
  std::vector<CitedGemm> cited_gemm;
  std::vector<CitedAttention> cited_attention;
  std::shared_ptr<const MeasuredCompute> measured;  ///< of `reckon calibrate`; null with published figures

  bool derived() const { return !derived_from.empty(); }
  bool supports(Precision precision) const { return gemm[static_cast<std::size_t>(precision)].has_value(); }
};

/// `from` at the peak of another precision of the same device: same share of the peak, operands and results of that precision.
GemmCalibration scaled_to_precision(const GemmCalibration& from, Precision precision, FlopsPerSecond peak);

std::string_view name_of(AttentionKernel kernel);
std::optional<AttentionKernel> attention_kernel_of(std::string_view name);

/// Time of a product in a long run, without the casts of its operands.  Throws CalibrationError when the device has no such precision.
/// Measured shapes correct it where the calibration has them; `role` says which operands are transposed.
Seconds gemm_time(const ComputeCalibration& calibration, Precision precision, const GemmShape& shape, GemmRole role = GemmRole::forward);

/// Time of fused attention, forward or backward.  A kernel that the device has no calibration for is replaced by the nearest older
/// one that it has (flash1 < flash2 < flash3 < cudnn), or the nearest newer one; throws CalibrationError when there is none at all.
/// Where attention was measured in `precision` on that very machine, it is that, whatever the kernel is called.
Seconds attention_time(const ComputeCalibration& calibration, AttentionKernel kernel, Pass pass, const AttentionShape& shape,
                       Precision precision = Precision::bf16);

/// The kernel that attention_time uses for `kernel`.
AttentionKernel attention_kernel_used(const ComputeCalibration& calibration, AttentionKernel kernel);

/// Time of one memory-bound kernel that moves so many bytes, reads and writes together.
Seconds streaming_time(const ComputeCalibration& calibration, Bytes traffic);

/// Time of one launch of `kernel` that moves so many bytes: measured where the calibration has it, else streaming_time.
Seconds kernel_time(const ComputeCalibration& calibration, StreamKernel kernel, Precision precision, Bytes traffic);

/// Calibration of a device without own measurements, from one that has them: rates by peak of the same precision (a precision that
/// `of` lacks comes from its bf16 or fp16), tiles by multiprocessors, traffic by memory bandwidth, exponentials by vector peak.
/// The power knee moves with (power / peak)^0.7: an A100 PCIe (300 W) reaches 252.9 where the SXM part (400 W) reaches 271.2 TFLOP/s
/// (ML Engineering, compute/accelerator/README.md).  Precisions that `to` lacks are dropped.
ComputeCalibration derive(const ComputeCalibration& like, const Device& of, const Device& to);

}  // namespace reckon
