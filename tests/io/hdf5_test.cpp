// Results files: what is written is read back, the same bytes twice, and damage is noticed.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <hdf5.h>

#include <chrono>
#include <fstream>
#include <random>
#include <thread>

#include "base/error.hpp"
#include "io/hdf5_image.hpp"
#include "io/hdf5_read.hpp"
#include "io/input_file.hpp"
#include "sample_image.hpp"
#include "temporary_folder.hpp"

namespace reckon {
namespace {

Hdf5Column plain(const std::string& units = "1") { return {.units = units, .long_name = "x", .dimensions = {}}; }

std::string refusal(const std::filesystem::path& path, const Hdf5Limits& limits = {}) {
  try {
    read_hdf5(path, limits);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

void store(const std::filesystem::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

TEST(Hdf5, ReadsBackWhatWasWritten) {
  const TemporaryFolder folder;
  Hdf5Image image = sample_image();
  save_hdf5(image, folder / "a.h5", false);

  const Hdf5Contents contents = read_hdf5(folder / "a.h5");

  const auto& root = contents.groups.at("/");
  EXPECT_EQ(std::get<std::string>(root.at("software")), "reckon");
  EXPECT_EQ(std::get<std::int64_t>(root.at("seed")), 7);
  EXPECT_EQ(std::get<double>(root.at("share")), 0.25);
  EXPECT_EQ(std::get<std::vector<std::string>>(root.at("authors")), (std::vector<std::string>{"a", "b\xc3\xa9"}));
  EXPECT_EQ(std::get<std::int64_t>(root.at("complete")), 1);
  EXPECT_EQ(std::get<std::string>(contents.groups.at("/sweep").at("note")), "a grid");
  EXPECT_EQ(contents.find("/inputs/model")->texts().at(0), "{\"name\": \"x\"}\n");
  EXPECT_TRUE(contents.find("/inputs/model")->shape.empty());
  const Hdf5Dataset& step = *contents.find("/sweep/step_time");
  EXPECT_EQ(step.shape, (std::vector<std::uint64_t>{3, 2}));
  EXPECT_EQ(step.dimensions, (std::vector<std::string>{"/sweep/devices", "/sweep/tensor"}));
  EXPECT_EQ(step.doubles()[3], 4.0);
  EXPECT_TRUE(std::isnan(step.doubles()[4]));
  EXPECT_EQ(std::get<std::string>(step.attributes.at("units")), "s");
  EXPECT_TRUE(contents.find("/sweep/devices")->is_scale);
  EXPECT_EQ(contents.find("/sweep/feasible")->integers(), (std::vector<std::int64_t>{0, 1, 1}));
  EXPECT_EQ(std::get<std::string>(contents.find("/sweep/feasible")->attributes.at("flag_meanings")), "no yes");
  EXPECT_EQ(contents.find("/parts/part")->texts(), (std::vector<std::string>{"compute", "\xe2\x82\xac", ""}));
  EXPECT_EQ(contents.find("/parts/rank")->integers(), (std::vector<std::int64_t>{3, -1, 5}));
  EXPECT_EQ(contents.find("/long/roots")->doubles()[39'999], std::sqrt(39'999.0));
  EXPECT_TRUE(contents.find("/long/nothing")->doubles().empty());
  EXPECT_EQ(contents.find("/absent"), nullptr);
  EXPECT_THROW(step.texts(), ConfigError);
  std::vector<std::string> order;
  for (const Hdf5Dataset& set : contents.datasets) order.push_back(set.path);
  EXPECT_EQ(order[1], "/sweep/devices");  // as written, not by name
  EXPECT_EQ(order[3], "/sweep/step_time");
}

TEST(Hdf5, TheSameCallsGiveTheSameBytes) {
  const std::string before = sample_image().finish();
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // into another second: no time stamps

  EXPECT_TRUE(sample_image().finish() == before);
}

TEST(Hdf5, RefusesValuesThatBreakTheRules) {
  Hdf5Image image("x");
  image.scale("/g/n", std::vector<std::int64_t>{1, 2}, plain());

  EXPECT_THROW(image.dataset("/a", std::vector<double>{NAN}, plain()), InternalError);
  EXPECT_THROW(image.dataset("/b", std::vector<double>{INFINITY}, {.units = "s", .long_name = "x", .dimensions = {}, .may_be_missing = true}), InternalError);
  EXPECT_THROW(image.dataset("/c", std::vector<double>{1, 2, 3}, {.units = "s", .long_name = "x", .dimensions = {"/g/n"}}), InternalError);
  EXPECT_THROW(image.dataset("/d", std::vector<double>{1}, {.units = "", .long_name = "x", .dimensions = {}}), InternalError);
  EXPECT_THROW(image.dataset("/e", std::vector<std::int64_t>{-1}, {.units = "1", .long_name = "x", .dimensions = {}, .may_be_missing = true}), InternalError);
  EXPECT_THROW(image.flags("/f", std::vector<std::int8_t>{2}, {"no", "yes"}, plain()), InternalError);
  EXPECT_THROW(image.dataset("/h", std::vector<std::string>{std::string("a\0b", 3)}, plain()), InternalError);
  EXPECT_THROW(image.attribute("/", "nan", NAN), InternalError);
  EXPECT_THROW(image.dataset("/g/n", std::vector<double>{1}, plain()), FileError);  // the name is taken
  EXPECT_THROW(image.dataset("/i", std::vector<double>{1}, {.units = "s", .long_name = "x", .dimensions = {"/none"}}), FileError);
}

TEST(Hdf5, RefusesFilesThatAreNotOurs) {
  const TemporaryFolder folder;
  const std::string whole = sample_image().finish();
  store(folder / "cut.h5", whole.substr(0, whole.size() / 2));
  store(folder / "longer.h5", whole + "x");
  store(folder / "empty.h5", "");
  store(folder / "text.h5", "this is no HDF5 file");
  std::string changed = whole;
  changed[changed.size() / 2] ^= 1;
  store(folder / "changed.h5", changed);

  for (const char* name : {"cut.h5", "longer.h5", "empty.h5", "text.h5", "changed.h5"}) EXPECT_NE(refusal(folder / name).find("damaged"), std::string::npos) << name;
  EXPECT_NE(refusal(folder / "none.h5").find("No such file"), std::string::npos);
  EXPECT_NE(refusal(folder.path()).find("not a regular file"), std::string::npos);
  EXPECT_NE(refusal("/dev/zero").find("not a regular file"), std::string::npos);
  store(folder / "whole.h5", whole);
  EXPECT_NE(refusal(folder / "whole.h5", {.file_bytes = 1000}).find("larger than"), std::string::npos);
  EXPECT_NE(refusal(folder / "whole.h5", {.elements = 1000}).find("more values"), std::string::npos);
  EXPECT_EQ(refusal(folder / "whole.h5"), "");
}

/// An HDF5 file made by the library itself, as a stranger would.
struct Foreign {
  explicit Foreign(const std::filesystem::path& path) : file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}
  ~Foreign() { H5Fclose(file); }
  void dataset(hid_t type, hid_t properties) const {
    const hsize_t size = 4;
    const hid_t space = H5Screate_simple(1, &size, nullptr), set = H5Dcreate2(file, "x", type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    EXPECT_GE(set, 0);
    H5Dclose(set);
    H5Sclose(space);
  }
  hid_t file;
};

TEST(Hdf5, RefusesWhatOurFilesNeverHold) {
  const TemporaryFolder folder;
  const Hdf5Limits foreign{.need_digest = false};
  {
    const Foreign made(folder / "external_link.h5");
    H5Lcreate_external("/etc/passwd", "/", made.file, "link", H5P_DEFAULT, H5P_DEFAULT);
  }
  {
    const Foreign made(folder / "soft_link.h5");
    H5Lcreate_soft("/nowhere", made.file, "link", H5P_DEFAULT, H5P_DEFAULT);
  }
  {
    const Foreign made(folder / "cycle.h5");
    H5Lcreate_hard(made.file, "/", made.file, "again", H5P_DEFAULT, H5P_DEFAULT);
  }
  {
    const Foreign made(folder / "external_storage.h5");
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(properties, "/etc/passwd", 0, 32);
    made.dataset(H5T_NATIVE_INT64, properties);
    H5Pclose(properties);
  }
  {
    const Foreign made(folder / "filter.h5");
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk = 4;
    H5Pset_chunk(properties, 1, &chunk);
    H5Pset_filter(properties, 32000, H5Z_FLAG_OPTIONAL, 0, nullptr);
    made.dataset(H5T_NATIVE_INT64, properties);
    H5Pclose(properties);
  }
  {
    const Foreign made(folder / "type.h5");
    const hid_t compound = H5Tcreate(H5T_COMPOUND, 8);
    H5Tinsert(compound, "a", 0, H5T_NATIVE_INT64);
    made.dataset(compound, H5P_DEFAULT);
    H5Tclose(compound);
  }
  { const Foreign made(folder / "incomplete.h5"); }

  EXPECT_NE(refusal(folder / "external_link.h5", foreign).find("link out of its tree"), std::string::npos);
  EXPECT_NE(refusal(folder / "soft_link.h5", foreign).find("link out of its tree"), std::string::npos);
  EXPECT_NE(refusal(folder / "cycle.h5", foreign).find("appears twice"), std::string::npos);
  EXPECT_NE(refusal(folder / "external_storage.h5", foreign).find("stored in another file"), std::string::npos);
  EXPECT_NE(refusal(folder / "filter.h5", foreign).find("unknown filter"), std::string::npos);
  EXPECT_NE(refusal(folder / "type.h5", foreign).find("none of integer, double and text"), std::string::npos);
  EXPECT_NE(refusal(folder / "incomplete.h5", foreign).find("not marked complete"), std::string::npos);
  EXPECT_NE(refusal(folder / "incomplete.h5").find("not written by reckon"), std::string::npos);
}

TEST(Hdf5, NoticesEveryChangedByteByTheDigest) {
  const TemporaryFolder folder;
  const std::string whole = sample_image().finish();
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    std::string changed = whole;
    changed[random() % changed.size()] ^= static_cast<char>(1 + random() % 255);
    store(folder / "x.h5", changed);
    EXPECT_NE(refusal(folder / "x.h5").find("damaged"), std::string::npos);
  }
}

/// Without the digest the guard alone has to stand: no crash and no hang of this process, whatever the bytes.
TEST(Hdf5, SurvivesDamagedFilesWithoutTheDigest) {
  const TemporaryFolder folder;
  const std::string whole = sample_image().finish();
  const int count = std::getenv("RECKON_HDF5_MUTANTS") ? std::atoi(std::getenv("RECKON_HDF5_MUTANTS")) : 150;
  std::mt19937 random(2);
  int refused = 0, crashed = 0, hung = 0;
  std::chrono::duration<double> slowest{0};
  for (int i = 0; i < count; ++i) {
    std::string changed = whole;
    for (auto left = 1 + random() % 8; left > 0; --left) changed[random() % 12'000] = static_cast<char>(random());  // where the metadata are
    store(folder / "x.h5", changed);
    const auto start = std::chrono::steady_clock::now();
    const std::string said = refusal(folder / "x.h5", {.seconds = 2, .need_digest = false});
    slowest = std::max<std::chrono::duration<double>>(slowest, std::chrono::steady_clock::now() - start);
    refused += !said.empty();
    crashed += said.find("crashed") != std::string::npos;
    hung += said.find("does not end") != std::string::npos;
  }
  std::printf("%d damaged files: %d refused, of these %d crashed and %d hung the reader process; slowest %.2f s\n", count, refused, crashed, hung, slowest.count());
  EXPECT_GT(refused, 0);
  EXPECT_LT(slowest.count(), 15.0);
}

}  // namespace
}  // namespace reckon
