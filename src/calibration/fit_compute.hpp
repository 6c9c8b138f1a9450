// From samples of one machine to the calibration that predictions read.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "calibration/compute.hpp"
#include "calibration/samples.hpp"

namespace reckon {

/// The closed form of gemm.hpp for the samples of one precision: rate, k_overhead, bandwidth and launch by the least sum of squared
/// logarithms, the tile by trying all.  `given` holds what is known beforehand (peak, multiprocessors, tiles, power).
/// Throws CalibrationError for fewer than four stable samples.
GemmCalibration fit_gemm(const std::vector<GemmSample>& samples, const GemmParameters& given);

/// The same for one pass of attention: rate, key_overhead, launch; `given` holds tiles, multiprocessors and bandwidth.
AttentionParameters fit_attention_pass(const std::vector<AttentionSample>& samples, const AttentionParameters& given);

/// |predicted / measured - 1| over the stable samples.
FitResidual residual_of(const std::vector<GemmSample>& samples, const GemmCost& cost);

/// The closed forms' ratios to the stable samples and a curve for each memory-bound kernel.
MeasuredCompute measured_compute(const Samples& samples, const ComputeCalibration& closed_forms,
                                 const std::map<Precision, AttentionCost>& attention);

/// All of it: every precision with stable products is calibrated, and so are attention (as flash2) and streams.  `device` is the id that
/// it is for; `peak` the data sheet's rates where one exists: a precision without takes its fastest sample.
struct ComputeFit {
  ComputeCalibration compute;  ///< with `measured`
  std::map<Precision, AttentionCost> attention;
};
ComputeFit fit_compute(const Samples& samples, const std::map<Precision, FlopsPerSecond>& peak, double multiprocessors);

}  // namespace reckon
