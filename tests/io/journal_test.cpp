// SPDX-License-Identifier: Apache-2.0
#include "io/journal.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/error.hpp"
#include "temporary_folder.hpp"

namespace reckon {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void replace(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary | std::ios::trunc) << text; }

class Journals : public testing::Test {
 protected:
  void write(const std::string& name, const std::map<std::string, std::string>& records) {
    JournalWriter writer(folder_, name, "run-1");
    for (const auto& [key, value] : records) writer.append(key, value);
    writer.sync();
  }
  TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path() / "a.h5.journal";
};

TEST_F(Journals, ComeBackFromAllFilesWithEveryByte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  write("0.0", {{"a", bytes}, {"b", ""}});
  write("0.1", {{"c", "x"}, {"d", bytes + "y"}});

  const JournalRecords all = read_journals(folder_, "run-1");

  EXPECT_EQ(all.values, (std::map<std::string, std::string>{{"a", bytes}, {"b", ""}, {"c", "x"}, {"d", bytes + "y"}}));
  EXPECT_EQ(all.files, 2);
  EXPECT_EQ(all.dropped, 0);
}

TEST_F(Journals, AMissingFolderIsAnEmptyJournal) { EXPECT_TRUE(read_journals(folder_, "run-1").values.empty()); }

TEST_F(Journals, TornAnywhereTheyKeepWhatIsWholeAndTakeMore) {
  write("0.0", {{"a", "first"}, {"b", "second"}});
  const fs::path path = folder_ / "journal.0.0.jsonl";
  const std::string whole = content(path);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    replace(path, whole.substr(0, size));
    const auto lines = std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size), '\n');
    ASSERT_EQ(static_cast<std::ptrdiff_t>(read_journals(folder_, "run-1").values.size()), std::max<std::ptrdiff_t>(0, lines - 1)) << size;
    write("0.0", {{"c", "third"}});
    const JournalRecords all = read_journals(folder_, "run-1");
    ASSERT_EQ(all.values.at("c"), "third") << size;
    ASSERT_EQ(all.dropped, 0) << size;
  }
}

TEST_F(Journals, AChangedByteEndsTheFileThere) {
  write("0.0", {{"a", "first"}, {"b", "second"}});
  const fs::path path = folder_ / "journal.0.0.jsonl";
  std::string text = content(path);
  text[text.rfind("\"b\"") + 1] = 'q';
  replace(path, text);

  const JournalRecords all = read_journals(folder_, "run-1");

  EXPECT_EQ(all.values, (std::map<std::string, std::string>{{"a", "first"}}));
  EXPECT_EQ(all.dropped, 1);
}

TEST_F(Journals, OfAnotherRunAreRefused) {
  write("0.0", {{"a", "first"}});
  EXPECT_THROW(read_journals(folder_, "run-2"), ConfigError);
}

TEST_F(Journals, ThatDisagreeAreAnInternalError) {
  write("0.0", {{"a", "first"}});
  write("0.1", {{"a", "other"}});
  EXPECT_THROW(read_journals(folder_, "run-1"), InternalError);
}

TEST_F(Journals, AreRemovedWithTheirFolderButNothingElse) {
  write("0.0", {{"a", "first"}});
  replace(folder_ / "notes.txt", "mine");
  remove_journals(folder_);
  EXPECT_TRUE(fs::exists(folder_ / "notes.txt"));
  EXPECT_FALSE(fs::exists(folder_ / "journal.0.0.jsonl"));
}

}  // namespace
}  // namespace reckon
