// Kill or fail every write, fsync, close and rename of a file being written, one after the other: the name holds the old content or the new,
// whole; after an error no temporary is left and the status is 5; after a kill the next run sweeps.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <functional>

#include "base/error.hpp"
#include "io/atomic_file.hpp"
#include "io/hdf5_read.hpp"
#include "io/input_file.hpp"
#include "sample_image.hpp"
#include "temporary_folder.hpp"

namespace reckon {
namespace {

namespace fs = std::filesystem;

struct Ending {
  bool killed = false;
  int status = 0;
  std::string message;
};

/// Runs the writer, with `at` > 0 under the shim; `before` runs in the child.
Ending run_writer(const std::string& kind, const fs::path& target, const std::string& mode, long at, const std::string& fault, const std::function<void()>& before = {}) {
  const TemporaryFolder messages;
  const std::string log = (messages / "stderr").string();
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT, 0600);
    ::dup2(out, 2);
    if (at > 0) {
      ::setenv("LD_PRELOAD", RECKON_FAULT_SHIM, 1);
      ::setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
      ::setenv("RECKON_FAULT_AT", std::to_string(at).c_str(), 1);
      ::setenv("RECKON_FAULT", fault.c_str(), 1);
    }
    if (before) before();
    ::execl(RECKON_FAULT_WRITER, "fault_writer", kind.c_str(), target.c_str(), mode.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return {WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_input_file(log)};
}

/// What the writer leaves when nothing goes wrong.
std::string clean_result(const std::string& kind) {
  const TemporaryFolder folder;
  EXPECT_EQ(run_writer(kind, folder / "out", "new", 0, "").status, 0);
  return read_input_file(folder / "out");
}

void expect_old_or_new(const TemporaryFolder& folder, const std::string& old_content, const std::string& new_content, long at) {
  const fs::path target = folder / "out";
  if (!fs::exists(target)) {
    EXPECT_EQ(old_content, "") << "call " << at << ": the old file is gone";
    return;
  }
  const std::string found = read_input_file(target);
  EXPECT_TRUE(found == old_content || found == new_content) << "call " << at << ": " << found.size() << " bytes of neither content";
}

/// One run with one fault; false when the fault lay beyond the last call.
bool one_fault(const std::string& kind, const std::string& fault, const std::string& old_content, const std::string& new_content, long at) {
  const TemporaryFolder folder;
  if (!old_content.empty()) write_file(folder / "out", old_content, false);
  const std::string mode = old_content.empty() ? "new" : "replace";
  const bool kill = fault == "kill" || fault == "torn";

  const Ending ending = run_writer(kind, folder / "out", mode, at, fault);

  expect_old_or_new(folder, old_content, new_content, at);
  if (ending.status == 0) {
    EXPECT_TRUE(read_input_file(folder / "out") == new_content) << at;
    EXPECT_EQ(folder.names().size(), 1u) << at;
    return false;
  }
  if (kill) {
    EXPECT_TRUE(ending.killed) << "call " << at << " ended with " << ending.status;
    EXPECT_EQ(run_writer(kind, folder / "out", "replace", 0, "").status, 0) << at;
    EXPECT_TRUE(read_input_file(folder / "out") == new_content) << at;
    EXPECT_EQ(folder.names(), (std::vector<std::string>{"out"})) << "call " << at << ": the temporary is not swept";
  } else {
    EXPECT_EQ(ending.status, 5) << "call " << at << ": " << ending.message;
    EXPECT_NE(ending.message.find(std::strerror(std::stoi(fault))), std::string::npos) << at << ": " << ending.message;
    EXPECT_NE(ending.message.find((folder / "out").string()), std::string::npos) << at << ": " << ending.message;
    const std::size_t expected = fs::exists(folder / "out") ? 1 : 0;
    EXPECT_EQ(folder.names().size(), expected) << "call " << at << ": a temporary is left";
  }
  return true;
}

void every_call(const std::string& kind, const std::string& fault, bool replace) {
  const std::string fresh = clean_result(kind), old_content = replace ? std::string("the old content, whole") : "";
  long at = 1;
  while (at < 1000 && one_fault(kind, fault, old_content, fresh, at)) ++at;
  EXPECT_GE(at - 1, kind == "text" ? 7 : 4) << "too few calls were reached for the test to mean anything";  // writes, fsync, close, rename, fsync
  EXPECT_LT(at, 1000);
}

TEST(Fault, KillAtEveryCall) {
  for (const char* kind : {"text", "hdf5"})
    for (const char* fault : {"kill", "torn"})
      for (const bool replace : {false, true}) every_call(kind, fault, replace);
}

TEST(Fault, ErrorAtEveryCall) {
  for (const char* kind : {"text", "hdf5"})
    for (const int error : {ENOSPC, EIO, EDQUOT, EFBIG})
      for (const bool replace : {false, true}) every_call(kind, std::to_string(error), replace);
}

TEST(Fault, TheFileSizeLimitIsAnErrorAndNoSignal) {
  const TemporaryFolder folder;
  const auto limit = [] {
    const rlimit small{8192, 8192};
    ::setrlimit(RLIMIT_FSIZE, &small);
  };

  const Ending ending = run_writer("text", folder / "out", "new", 0, "", limit);

  EXPECT_EQ(ending.status, 5);
  EXPECT_NE(ending.message.find("ulimit -f"), std::string::npos) << ending.message;
  EXPECT_TRUE(folder.names().empty());
}

TEST(Fault, AFullDiskSaysHowMuchIsFree) {
  const TemporaryFolder folder;
  const std::string where = folder.path().string();
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to mount a small tmpfs";
  const pid_t pid = ::fork();
  if (pid == 0) {  // a mount name space of its own: nothing is left mounted
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 || ::mount("tmpfs", where.c_str(), "tmpfs", 0, "size=16k") != 0) ::_exit(77);
    int rc = 1;
    try {
      write_file(folder / "out", "old", false);
      write_file(folder / "out", std::string(100'000, 'x'), true);
    } catch (const FileError& error) {
      const std::string text = error.what();
      const bool good = text.find("No space left") != std::string::npos && text.find("bytes wanted") != std::string::npos && read_input_file(folder / "out") == "old" && folder.names().size() == 1;
      rc = good ? 0 : 2;
    }
    ::_exit(rc);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace reckon
