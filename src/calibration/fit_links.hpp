// From measured messages to curves by group, to the closed form for groups that were not measured, and to how well both do.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "calibration/links.hpp"
#include "calibration/samples.hpp"

namespace reckon {

/// A curve for each operation and number of ranks with at least two stable samples.
MeasuredLinks fit_link_curves(const std::vector<LinkSample>& samples);

/// The closed form of links.hpp inside one domain: base, step and efficiency of the bulk ring from all-reduce, all-gather and
/// reduce-scatter, and those of all-to-all and point-to-point, by the least sum of squared logarithms; `link` is the nominal bandwidth that
/// efficiencies refer to.  Paths without samples take the ring's numbers.  Throws CalibrationError without any stable sample.
DomainLinks fit_domain_links(const std::vector<LinkSample>& samples, BytesPerSecond link);

/// Every second size of each curve fitted, the others predicted: what the fit is worth on sizes that it did not see; one entry for each
/// operation and number of ranks with six sizes or more.  `device` goes into the entries.
std::vector<LinkResidual> held_out_residuals(const std::vector<LinkSample>& samples, const std::string& device);

}  // namespace reckon
