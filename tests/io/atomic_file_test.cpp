// Whole files or none: the quiet cases.  Kills and full disks are in fault_test.cpp.
// SPDX-License-Identifier: Apache-2.0
#include "io/atomic_file.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <fstream>

#include "base/error.hpp"
#include "io/data_path.hpp"
#include "io/input_file.hpp"
#include "io/sha256.hpp"
#include "temporary_folder.hpp"

namespace reckon {
namespace {

namespace fs = std::filesystem;

std::string host() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

/// The id of a process that has ended.
pid_t dead_process() {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(0);
  ::waitpid(pid, nullptr, 0);
  return pid;
}

TEST(AtomicFile, WritesAndReplaces) {
  const TemporaryFolder folder;

  write_file(folder / "a.txt", "first", false);
  EXPECT_EQ(read_input_file(folder / "a.txt"), "first");
  write_file(folder / "a.txt", std::string(3'000'000, 'x'), true);
  EXPECT_EQ(read_input_file(folder / "a.txt"), std::string(3'000'000, 'x'));
  write_file(folder / "empty", "", false);
  EXPECT_EQ(read_input_file(folder / "empty"), "");
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"a.txt", "empty"}));
}

TEST(AtomicFile, RefusesToOverwriteWithoutBeingTold) {
  const TemporaryFolder folder;
  write_file(folder / "a.txt", "first", false);

  EXPECT_THROW(write_file(folder / "a.txt", "second", false), UsageError);
  EXPECT_EQ(read_input_file(folder / "a.txt"), "first");
}

TEST(AtomicFile, RefusesAFileThatAppearsMeanwhile) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "a.txt", false);
  file.write("second");
  std::ofstream(folder / "a.txt") << "first";

  EXPECT_THROW(file.commit(), UsageError);
  EXPECT_EQ(read_input_file(folder / "a.txt"), "first");
}

TEST(AtomicFile, LeavesNothingWithoutCommit) {
  const TemporaryFolder folder;
  {
    AtomicFile file(folder / "a.txt", false);
    file.write("half");
    EXPECT_EQ(folder.names().size(), 1u);
  }
  EXPECT_TRUE(folder.names().empty());
}

TEST(AtomicFile, LeavesNothingWhenVerificationFails) {
  const TemporaryFolder folder;
  const auto refuse = [](const fs::path& temporary) { throw FileError(temporary.string(), "no good"); };

  EXPECT_THROW(write_file(folder / "a.txt", "x", false, refuse), FileError);
  EXPECT_TRUE(folder.names().empty());
}

TEST(AtomicFile, NoticesATemporaryThatChangedOnDisk) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "a.txt", false);
  file.write("content");
  std::ofstream(folder / folder.names()[0], std::ios::in | std::ios::out) << "C";

  EXPECT_THROW(file.commit(), FileError);
  EXPECT_TRUE(fs::exists(folder.path()));
}

TEST(AtomicFile, SweepsTemporariesOfDeadProcessesOfThisHostOnly) {
  const TemporaryFolder folder;
  const std::string dead = "a.txt.tmp." + host() + "." + std::to_string(dead_process()), alive = "a.txt.tmp." + host() + "." + std::to_string(::getppid());
  const std::string elsewhere = "a.txt.tmp.otherhost.1", own_name = "a.txt.tmp." + host() + ".notes";
  for (const std::string& name : {dead, alive, elsewhere, own_name}) std::ofstream(folder / name) << "x";

  write_file(folder / "a.txt", "new", false);

  EXPECT_FALSE(fs::exists(folder / dead));
  EXPECT_TRUE(fs::exists(folder / alive) && fs::exists(folder / elsewhere) && fs::exists(folder / own_name));
}

TEST(AtomicFile, ReplacesALeftoverWithItsOwnProcessId) {
  const TemporaryFolder folder;
  std::ofstream(folder / ("a.txt.tmp." + host() + "." + std::to_string(::getpid()))) << "old leftover";

  write_file(folder / "a.txt", "new", false);

  EXPECT_EQ(folder.names(), (std::vector<std::string>{"a.txt"}));
}

TEST(AtomicFile, RefusesBadTargetsBeforeAnyWork) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "sub");
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  fs::create_symlink(folder / "nowhere", folder / "dangling");

  EXPECT_THROW(check_target(folder / "none" / "a.txt", true), UsageError);
  EXPECT_THROW(check_target(folder / "sub", true), UsageError);
  EXPECT_THROW(check_target(folder / "fifo", true), UsageError);
  EXPECT_THROW(check_target(folder / "dangling", true), UsageError);
  EXPECT_THROW(check_target("/dev/null", true), UsageError);
  EXPECT_THROW(check_target("", true), UsageError);
  EXPECT_THROW(check_target(folder.path() / "", true), UsageError);
  EXPECT_NO_THROW(check_target(folder / "new", false));
  EXPECT_FALSE(fs::exists(folder / "none"));
}

TEST(AtomicFile, WritesThroughALink) {
  const TemporaryFolder folder;
  write_file(folder / "real", "old", false);
  fs::create_symlink("real", folder / "link");

  write_file(folder / "link", "new", true);

  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_input_file(folder / "real"), "new");
}

TEST(AtomicFile, RespectsTheUmask) {
  const TemporaryFolder folder;
  const mode_t before = ::umask(027);
  write_file(folder / "a.txt", "x", false);
  ::umask(before);

  EXPECT_EQ(fs::status(folder / "a.txt").permissions(), static_cast<fs::perms>(0640));
}

TEST(Sha256, AgreesWithTheStandard) {
  // FIPS 180-2 appendix B: "abc", two blocks, one million times "a"; and the empty text.
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, DoesNotDependOnThePieces) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>(i);
  for (std::size_t piece = 1; piece < 130; ++piece) {
    Sha256 digest;
    for (std::size_t at = 0; at < text.size(); at += piece) digest.update(std::string_view(text).substr(at, piece));
    EXPECT_EQ(digest.hex(), sha256(text)) << piece;
  }
}

TEST(DataPath, LooksWhereTheProgramIs) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "src/models/devices");
  fs::create_directories(folder / "src/build/app");
  fs::create_directories(folder / "usr/bin");
  fs::create_directories(folder / "usr/share/reckon/models/devices");
  fs::create_directories(folder / "empty");

  EXPECT_EQ(find_data_folder({}, folder / "src/build/app/reckon"), folder / "src/models");
  EXPECT_EQ(find_data_folder({}, folder / "usr/bin/reckon"), folder / "usr/share/reckon/models");
  EXPECT_EQ(find_data_folder((folder / "src/models").string(), folder / "usr/bin/reckon"), folder / "src/models");
  EXPECT_THROW(find_data_folder((folder / "empty").string(), folder / "usr/bin/reckon"), ConfigError);
  try {
    find_data_folder({}, folder / "empty/reckon");
    ADD_FAILURE();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find((folder / "empty/models").string()), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("RECKON_DATA_DIR"), std::string::npos);
  }
}

}  // namespace
}  // namespace reckon
