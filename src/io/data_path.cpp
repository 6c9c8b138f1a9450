// Where the catalogue files are.
// SPDX-License-Identifier: Apache-2.0
#include "io/data_path.hpp"

#include <cstdlib>
#include <system_error>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"

namespace reckon {
namespace {

namespace fs = std::filesystem;

bool holds_catalogue(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_directory(folder / "devices", ignored);
}

}  // namespace

fs::path find_data_folder(const std::optional<std::string>& variable, const fs::path& program) {
  if (variable) {
    if (holds_catalogue(*variable)) return *variable;
    throw ConfigError("RECKON_DATA_DIR", "", "the folder " + in_quotes(*variable) + " holds no devices/", "set it to the folder with devices/, nodes/ and architectures/, or unset it");
  }
  std::vector<std::string> tried;
  const fs::path folder = program.parent_path();
  const fs::path installed = (folder / ".." / "share" / "reckon" / "models").lexically_normal();
  if (holds_catalogue(installed)) return installed;
  tried.push_back(installed.string());
  for (fs::path parent = folder; !parent.empty(); parent = parent.parent_path()) {
    if (holds_catalogue(parent / "models")) return parent / "models";
    tried.push_back((parent / "models").string());
    if (parent == parent.root_path()) break;
  }
  throw ConfigError("models/devices", "", "the catalogue is not found; tried " + join(tried, ", "), "set RECKON_DATA_DIR to the folder with devices/, nodes/ and architectures/");
}

fs::path data_folder() {
  const char* variable = std::getenv("RECKON_DATA_DIR");
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error && !variable) throw ConfigError("/proc/self/exe", "", "cannot find the program's own folder: " + error.message(), "set RECKON_DATA_DIR");
  return find_data_folder(variable ? std::optional<std::string>(variable) : std::nullopt, program);
}

}  // namespace reckon
