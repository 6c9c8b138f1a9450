// The errors that library code throws.  Only `main` catches them all, prints what() and ends with exit_code().
//
// A wrong input throws, a wrong program asserts, an impossible plan is a value (Infeasible), never an exception.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace reckon {

/// The exit codes of the program; stable, documented in `reckon --help`.
enum class ExitCode : int { ok = 0, internal = 1, input = 2, infeasible = 3, device = 4, file = 5, stopped = 6, calibration = 7 };

/// Base of all errors: up to three lines, what, where and what to do.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  /// The status with which the process ends when nobody handles the error.
  int exit_code() const noexcept { return static_cast<int>(code_); }

 protected:
  /// `reason`, then `where:` and `cure:` lines for those of them that are not empty.
  static std::string compose(const std::string& reason, const std::string& where, const std::string& cure) {
    std::string text = reason;
    if (!where.empty()) text += "\n  where: " + where;
    if (!cure.empty()) text += "\n  cure: " + cure;
    return text;
  }

 private:
  ExitCode code_;
};

/// An input file that is missing, malformed or says something impossible.  Exit 2.
class ConfigError : public Error {
 public:
  /// `place` is a JSON pointer, `line:column` or empty; `cure` says what to write instead.
  ConfigError(std::string file, std::string place, std::string reason, std::string cure = "")
      : Error(ExitCode::input, compose(reason, place.empty() ? file : file + (place[0] == '/' ? " at " : ":") + place, cure)),
        file_(std::move(file)), place_(std::move(place)), reason_(std::move(reason)), cure_(std::move(cure)) {}

  const std::string& file() const noexcept { return file_; }
  const std::string& place() const noexcept { return place_; }
  const std::string& reason() const noexcept { return reason_; }
  const std::string& cure() const noexcept { return cure_; }

 private:
  std::string file_, place_, reason_, cure_;
};

/// A command line that cannot be understood or obeyed.  Exit 2.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& reason, const std::string& cure = "") : Error(ExitCode::input, compose(reason, "", cure)) {}
};

/// A text that is not the quantity, count or choice that was asked for.  The reader that knows the place (JsonNode, ParsedOptions)
/// turns it into a ConfigError or UsageError.  Exit 2.
class TextError : public Error {
 public:
  explicit TextError(std::string reason, std::string cure = "")
      : Error(ExitCode::input, compose(reason, "", cure)), reason_(std::move(reason)), cure_(std::move(cure)) {}

  const std::string& reason() const noexcept { return reason_; }
  const std::string& cure() const noexcept { return cure_; }

 private:
  std::string reason_, cure_;
};

/// Writing a result failed: disk full, no permission, I/O error.  Exit 5.
class FileError : public Error {
 public:
  FileError(const std::string& file, const std::string& reason, const std::string& cure = "")
      : Error(ExitCode::file, compose(reason, file, cure)), file_(file) {}

  const std::string& file() const noexcept { return file_; }

 private:
  std::string file_;
};

/// No device, a failing device or a measurement that does not settle.  Exit 4.
class DeviceError : public Error {
 public:
  explicit DeviceError(const std::string& reason, const std::string& cure = "") : Error(ExitCode::device, compose(reason, "", cure)) {}
};

/// Calibration data missing, too old or not for this device.  Exit 7.
class CalibrationError : public Error {
 public:
  explicit CalibrationError(const std::string& reason, const std::string& cure = "")
      : Error(ExitCode::calibration, compose(reason, "", cure)) {}
};

/// A failed MPI call: a dead rank or a broken launch.  Exit 1.
class MpiError : public Error {
 public:
  explicit MpiError(const std::string& reason) : Error(ExitCode::internal, compose(reason, "", "look for the first rank that failed; start again")) {}
};

/// A broken promise of our own: a NaN in a result, a failing library call that no input explains.  Exit 1.
class InternalError : public Error {
 public:
  explicit InternalError(const std::string& reason) : Error(ExitCode::internal, compose(reason, "", "this is a bug in reckon; please report it")) {}
};

}  // namespace reckon
