// SPDX-License-Identifier: Apache-2.0
#include "app/pdf.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "io/atomic_file.hpp"
#include "io/input_file.hpp"

extern char** environ;

namespace reckon {
namespace {

namespace fs = std::filesystem;

/// A folder of our own that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "reckon-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
      throw FileError(name, "no folder for temporary files", "set TMPDIR to a folder that can be written");
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string on_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  for (const std::string_view folder : split(path ? path : "", ':')) {
    const std::string file = std::string(folder) + "/" + program;
    if (!folder.empty() && access(file.c_str(), X_OK) == 0) return file;
  }
  return "";
}

/// The exit status of a program without input or output.
int run(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int stream : {0, 1, 2}) posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", stream == 0 ? O_RDONLY : O_WRONLY, 0);
  pid_t child = 0;
  const int failed = posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return -1;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

std::string pdf_of(const std::string& html) {
  const TemporaryFolder folder;
  const std::string page = (folder.path() / "page.html").string(), pdf = (folder.path() / "page.pdf").string();
  write_file(page, html, true);
  const std::string cure = "write the .html and print it to PDF from a browser, or install chromium or weasyprint";
  for (const char* name : {"chromium", "chromium-browser", "google-chrome", "weasyprint", "wkhtmltopdf"}) {
    const std::string program = on_path(name);
    if (program.empty()) continue;
    const bool chrome = std::string_view(name).starts_with("chrom") || std::string_view(name).starts_with("google");
    // The page is our own and loads nothing; a container's root has no sandbox to offer.
    const std::vector<std::string> words = chrome ? std::vector<std::string>{program,
                                                                             "--headless",
                                                                             "--no-sandbox",
                                                                             "--disable-gpu",
                                                                             "--user-data-dir=" + folder.path().string(),
                                                                             "--no-pdf-header-footer",
                                                                             "--print-to-pdf=" + pdf,
                                                                             "file://" + page}
                                                  : std::vector<std::string>{program, page, pdf};
    if (run(words) != 0 || !fs::exists(pdf) || fs::file_size(pdf) == 0) throw UsageError(program + " made no PDF of the report", cure);
    return read_input_file(pdf, std::size_t{1} << 30);
  }
  throw UsageError("no program on PATH makes a PDF of a page", cure);
}

}  // namespace reckon
