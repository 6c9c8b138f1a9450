// The JSON accessor: what is read, and that everything wrong is answered with file, place and reason.
// SPDX-License-Identifier: Apache-2.0
#include "io/json.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "temporary_folder.hpp"

namespace reckon {
namespace {

JsonNode parse(const std::string& text) { return parse_json(text, "test.json").root(); }

/// What the ConfigError of `action` says; "" when there is none.
std::string complaint(const std::function<void()>& action) {
  try {
    action();
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.exit_code(), 2);
    return error.what();
  }
  return "";
}

void expect_complaint(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) EXPECT_NE(text.find(part), std::string::npos) << "no '" << part << "' in: " << text;
}

TEST(Json, ReadsEveryKindOfValue) {
  const JsonNode root = parse(R"({"text": "a\u00e9", "yes": true, "whole": 80, "real": 2.5, "memory": "80 GiB", "rate": "400 Gb/s",
                                  "tokens": "15T", "none": null, "list": [1, 2, 3], "big": 1e12, "exact": 8.0, "a/b~c": {"x": 1}})");

  EXPECT_EQ(root.at("text").string(), "a\xc3\xa9");
  EXPECT_TRUE(root.at("yes").boolean());
  EXPECT_EQ(root.at("whole").integer(0, 100), 80);
  EXPECT_EQ(root.at("exact").integer(0, 100), 8);
  EXPECT_EQ(root.at("big").integer(0, largest_count), 1'000'000'000'000);
  EXPECT_DOUBLE_EQ(root.at("real").number(0, 10), 2.5);
  EXPECT_DOUBLE_EQ(root.at("whole").number(0, 100), 80.0);
  EXPECT_DOUBLE_EQ(root.at("memory").quantity<Bytes>().in(gibibytes), 80.0);
  EXPECT_DOUBLE_EQ(root.at("rate").quantity<BytesPerSecond>().in(gigabytes_per_second), 50.0);
  EXPECT_EQ(root.at("tokens").count(0), 15'000'000'000'000);
  EXPECT_EQ(root.at("whole").count(0), 80);
  EXPECT_TRUE(root.at("none").is_null());
  EXPECT_EQ(root.at("list").size(), 3u);
  EXPECT_EQ(root.at("list").items()[1].integer(0, 9), 2);
  EXPECT_EQ(root.at("list").items()[1].pointer(), "/list/1");
  EXPECT_EQ(root.at("a/b~c").at("x").pointer(), "/a~1b~0c/x");
  EXPECT_EQ(root.members().size(), 12u);
  EXPECT_FALSE(root.find("absent"));
  EXPECT_TRUE(root.has("none"));
  EXPECT_EQ(root.file(), "test.json");
}

TEST(Json, KeepsTheTextAndTheValuesAlive) {
  std::optional<JsonNode> node;
  {
    const JsonDocument document = parse_json("{\"a\": [1]}", "x");
    EXPECT_EQ(document.text(), "{\"a\": [1]}");
    node = document.root().at("a");
  }
  EXPECT_EQ(node->items()[0].integer(0, 1), 1);
}

TEST(Json, NamesTheMissingKey) {
  expect_complaint(complaint([] { parse(R"({"node": {"memroy": 1}})").at("node").at("memory", "a size such as \"80 GiB\""); }),
                   {"'memory' is missing", "test.json at /node", "80 GiB", "memroy"});
}

TEST(Json, RefusesUnknownKeys) {
  expect_complaint(complaint([] { parse(R"({"memroy": 1})").refuse_unknown({"memory", "name"}); }), {"unknown key 'memroy'", "test.json at /memroy", "did you mean 'memory'?"});
  EXPECT_NO_THROW(parse(R"({"name": 1})").refuse_unknown({"memory", "name"}));
}

TEST(Json, RefusesWrongTypesAndRanges) {
  const JsonNode root = parse(R"({"real": 3.7, "yes": true, "text": "8", "minus": -5, "huge": 18446744073709551616, "large": 18446744073709551615,
                                  "bare": 80, "unit": "80 parsecs", "list": [], "object": {}, "none": null, "wide": 1e15})");
  const auto say = [&](const char* key, const std::function<void(const JsonNode&)>& read) { return complaint([&] { read(root.at(key)); }); };
  const auto whole = [](const JsonNode& node) { node.integer(1, 64); };

  for (const char* key : {"real", "yes", "text", "minus", "huge", "large", "list", "object", "none", "wide"})
    expect_complaint(say(key, whole), {"a whole number from 1 to 64", std::string("test.json at /") + key});
  for (const char* key : {"yes", "text", "list", "none"}) expect_complaint(say(key, [](const JsonNode& n) { n.number(0, 1); }), {"expected a number from 0 to 1"});
  expect_complaint(say("real", [](const JsonNode& n) { n.number(0, 1); }), {"3.7 is out of range", "from 0 to 1"});
  expect_complaint(say("bare", [](const JsonNode& n) { n.quantity<Bytes>(); }), {"80 has no unit", "\"80 GiB\"", "/bare"});
  expect_complaint(say("unit", [](const JsonNode& n) { n.quantity<Bytes>(); }), {"parsecs", "/unit"});
  expect_complaint(say("list", [](const JsonNode& n) { n.quantity<Bytes>(); }), {"expected a size in bytes"});
  expect_complaint(say("bare", [](const JsonNode& n) { n.string(); }), {"expected a text, found 80"});
  expect_complaint(say("bare", [](const JsonNode& n) { n.boolean(); }), {"expected true or false"});
  expect_complaint(say("bare", [](const JsonNode& n) { n.items(); }), {"expected an array"});
  expect_complaint(say("bare", [](const JsonNode& n) { n.members(); }), {"expected an object"});
  expect_complaint(say("bare", [](const JsonNode& n) { n.at("x"); }), {"expected an object"});
  expect_complaint(say("bare", [](const JsonNode& n) { n.size(); }), {"expected an array or an object"});
  expect_complaint(say("text", [](const JsonNode& n) { n.choice({"a", "b"}); }), {"unknown value '8'", "one of: a, b"});
  expect_complaint(say("text", [](const JsonNode& n) { n.count(9); }), {"'8' is out of range"});
  EXPECT_EQ(root.at("text").count(8), 8);
}

TEST(Json, RefusesBadSyntaxWithItsPlace) {
  const std::vector<std::pair<std::string, std::string>> bad{
      {"", "1:1"},           {"  ", ""},              {"{", "1:"},            {"{\"a\":1,}", "1:8"},      {"[1,]", "1:4"},     {"[1 2]", "1:4"},      {"{\"a\" 1}", "1:6"},    {"{a:1}", "1:2"},
      {"{'a':1}", "1:2"},    {"[01]", "1:3"},         {"[+1]", "1:2"},        {"[.5]", "1:2"},            {"[1.]", "1:4"},     {"[NaN]", "1:2"},      {"[Infinity]", "1:2"},   {"[-]", "1:3"},
      {"[1e400]", "1:"},     {"[nul]", "1:"},         {"[True]", "1:2"},      {"[1] x", "1:5"},           {"[1][2]", "1:4"},   {"// c\n[1]", "1:1"},  {"[1] // c", "1:5"},     {"[\"\t\"]", "1:3"},
      {"[\"\\x\"]", "1:4"},  {"[\"\\ud800\"]", "1:"}, {"[\"a]", "1:"},        {"{\n\"a\": tru\n}", "2:"}, {"[\"\xff\"]", "1:"}, {"[\"\xc0\x80\"]", "1:"}, {"\xff\xfe[\0", "1:1"}, {std::string("[1]\0", 4), "1:4"}};

  for (const auto& [text, place] : bad) {
    const std::string said = complaint([&] { parse(text); });
    expect_complaint(said, {"test.json:" + place});
    EXPECT_LT(said.size(), 500u);
  }
}

TEST(Json, RefusesDuplicateKeysAndDepthAndSize) {
  expect_complaint(complaint([] { parse("{\"a\": 1,\n \"b\": {\"c\": 2, \"c\": 3}}"); }), {"the key 'c' appears twice", "test.json:2:"});
  expect_complaint(complaint([] { parse(std::string(1'000'000, '[')); }), {"deeper than 64"});
  expect_complaint(complaint([] {
                     std::string text;
                     for (int i = 0; i < 100'000; ++i) text += "{\"a\":";
                     parse(text);
                   }),
                   {"deeper than 64"});
  EXPECT_NO_THROW(parse(std::string(64, '[') + std::string(64, ']')));
  EXPECT_NO_THROW(parse("{\"a\": {\"x\": 1}, \"b\": {\"x\": 1}}"));  // the same key in two objects
  std::string many = "[0";
  for (int i = 0; i < 1'000'001; ++i) many += ",0";
  expect_complaint(complaint([&] { parse(many + "]"); }), {"more than 1 million values"});
}

TEST(Json, AcceptsAByteOrderMarkAndWindowsLines) {
  EXPECT_EQ(parse("\xef\xbb\xbf{\"a\": 1}").at("a").integer(0, 1), 1);
  EXPECT_EQ(parse("{\r\n\"a\": 1\r\n}\r\n").at("a").integer(0, 1), 1);
}

TEST(Json, RefusesEveryTruncation) {
  const std::string whole = R"({"name": "H100", "memory": "80 GiB", "peak": {"bf16": "989 TFLOP/s"}, "list": [1, 2.5, true, null]})";
  for (std::size_t length = 0; length < whole.size(); ++length) EXPECT_FALSE(complaint([&] { parse(whole.substr(0, length)); }).empty()) << length;
  EXPECT_NO_THROW(parse(whole));
}

TEST(Json, AnswersStrangeFilesAtOnce) {
  const TemporaryFolder folder;
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  const int sock = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (folder / "socket").string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(sock, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  std::ofstream(folder / "h100.json") << "{}";
  std::ofstream(folder / "large.json").close();
  std::filesystem::resize_file(folder / "large.json", (64u << 20) + 1);
  std::ofstream(folder / "zeros.json").close();
  std::filesystem::resize_file(folder / "zeros.json", 1000);

  expect_complaint(complaint([&] { read_json(folder / "fifo"); }), {"this is a FIFO"});
  EXPECT_FALSE(complaint([&] { read_json(folder / "socket"); }).empty());
  expect_complaint(complaint([&] { read_json(folder.path()); }), {"this is a folder"});
  expect_complaint(complaint([&] { read_json("/dev/zero"); }), {"this is a device", "/dev/zero"});
  expect_complaint(complaint([&] { read_json(folder / "h10.json"); }), {"No such file", "did you mean", "h100.json"});
  expect_complaint(complaint([&] { read_json(folder / "none" / "a.json"); }), {"No such file", "the folder", "does not exist"});
  expect_complaint(complaint([&] { read_json(""); }), {"a file name is empty"});
  expect_complaint(complaint([&] { read_json(folder / "large.json"); }), {"larger than 64 MiB"});
  EXPECT_FALSE(complaint([&] { read_json(folder / "zeros.json"); }).empty());
  EXPECT_NO_THROW(read_json(folder / "h100.json"));
  ::close(sock);
  if (::geteuid() != 0) {  // root may read anything
    std::filesystem::permissions(folder / "h100.json", std::filesystem::perms::none);
    expect_complaint(complaint([&] { read_json(folder / "h100.json"); }), {"Permission denied"});
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(Json, NeverWritesANumberThatIsNotFinite) {
  EXPECT_EQ(dump_json({{"a", 1}, {"b", 0.1}}, -1), "{\"a\":1,\"b\":0.1}\n");
  EXPECT_THROW(dump_json({{"a", {{"b", std::nan("")}}}}), InternalError);
  EXPECT_THROW(dump_json({{"a", {1.0, INFINITY}}}), InternalError);
}

TEST(Json, EveryPublishedFileReads) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(RECKON_SOURCE_DIR) / "experiments" / "published"))
    if (entry.path().extension() == ".json") {
      EXPECT_TRUE(read_json(entry.path()).root().at("runs").is_array()) << entry.path();
      ++count;
    }
  EXPECT_GT(count, 5);
}

}  // namespace
}  // namespace reckon
