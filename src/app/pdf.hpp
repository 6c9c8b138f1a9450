// A page of HTML as PDF, by a converter that the machine has.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace reckon {

/// The bytes of the PDF.  Tries chromium, chromium-browser, google-chrome, weasyprint and wkhtmltopdf on PATH; throws UsageError when none
/// is there or the one that is fails.
std::string pdf_of(const std::string& html);

}  // namespace reckon
