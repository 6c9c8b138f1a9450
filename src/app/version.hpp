// Which program this is.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace reckon {

struct Version {
  std::string number;      ///< 0.1.0
  std::string git_commit;  ///< 40 hexadecimal digits; empty when built outside a repository
  bool modified = false;   ///< built from sources that differ from that commit
  std::string compiler, mpi, hdf5;
};

/// Of this binary.
Version version();

/// `reckon 0.1.0 (git 1a2b3c4d5e6f, ...)`, one line, and the same as JSON, schema "reckon/version/1".
std::string version_line();
std::string version_json();

/// The commit with `-modified` where it is, for results files.
std::string commit_text();

}  // namespace reckon
