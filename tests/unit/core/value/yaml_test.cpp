#include <chrono>
#include <random>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/value/yaml_read.hpp"
#include "core/value/yaml_write.hpp"

using namespace aictl;

namespace {

const YamlOptions kKubernetes{.dialect = YamlDialect::kKubernetes};

std::string json_of(std::string_view yaml, const YamlOptions& options = kKubernetes) {
  auto document = parse_yaml(yaml, options);
  return document ? dump_json(document->tree) : "error: " + document.error().message;
}

std::string random_text(std::mt19937& random) {
  static const std::vector<std::string> kPieces = {"a",
                                                   "B",
                                                   "0",
                                                   "7",
                                                   " ",
                                                   "  ",
                                                   ":",
                                                   ": ",
                                                   "#",
                                                   " #",
                                                   "-",
                                                   "- ",
                                                   "?",
                                                   "\n",
                                                   "\n\n",
                                                   "\t",
                                                   "'",
                                                   "\"",
                                                   "\\",
                                                   "{",
                                                   "}",
                                                   "[",
                                                   "]",
                                                   ",",
                                                   "&",
                                                   "*",
                                                   "!",
                                                   "|",
                                                   ">",
                                                   "%",
                                                   "@",
                                                   "`",
                                                   "=",
                                                   "<<",
                                                   "~",
                                                   "yes",
                                                   "no",
                                                   "on",
                                                   "off",
                                                   "null",
                                                   "true",
                                                   "y",
                                                   "n",
                                                   "0x",
                                                   "0o",
                                                   "1e3",
                                                   ".inf",
                                                   ".5",
                                                   "_",
                                                   "22:22",
                                                   "2024-01-01",
                                                   "\r",
                                                   "\x01",
                                                   "\x7f",
                                                   "\xc2\x85",
                                                   "\xe2\x80\xa8",
                                                   "\xef\xbb\xbf",
                                                   "\xc3\xb6",
                                                   "\xf0\x9f\x98\x80",
                                                   "---",
                                                   "...",
                                                   "${X}",
                                                   "{{ x }}",
                                                   "/dev/shm",
                                                   "nvidia.com/gpu"};
  std::string text;
  for (size_t left = random() % 6; left > 0; --left) text += kPieces[random() % kPieces.size()];
  return text;
}

Json random_tree(std::mt19937& random, int depth) {
  switch (random() % (depth > 0 ? 9 : 7)) {
    case 0:
      return nullptr;
    case 1:
      return random() % 2 == 0;
    case 2:
      return int64_t(random()) - int64_t(random());
    case 3:
      return double(random()) / 7e3;
    case 4:
      return double(random()) * 1e200;
    case 5:
    case 6:
      return random_text(random);
    case 7: {
      Json list = Json::array();
      for (size_t left = random() % 4; left > 0; --left)
        list.push_back(random_tree(random, depth - 1));
      return list;
    }
    default: {
      Json map = Json::object();
      for (size_t left = random() % 4; left > 0; --left)
        map[random_text(random)] = random_tree(random, depth - 1);
      return map;
    }
  }
}

}  // namespace

TEST_CASE("yaml: plain words mean what Kubernetes takes them for") {
  CHECK_EQ(json_of("[y, Yes, on, TRUE]"), "[true,true,true,true]");
  CHECK_EQ(json_of("[n, No, off, False]"), "[false,false,false,false]");
  CHECK_EQ(json_of("[017, 0x1F, 0b101, 0o17, 1_000, -010, +5]"), "[15,31,5,15,1000,-8,5]");
  CHECK_EQ(json_of("[1.5, .5, 1., 1e3, 1E-2, 08]"), "[1.5,0.5,1.0,1000.0,0.01,8.0]");
  CHECK_EQ(json_of("[22:22, 2024-01-01, 1.2.3, 0x, 1e, ., -, +, 1_a, 12Gi]"),
           R"(["22:22","2024-01-01","1.2.3","0x","1e",".","-","+","1_a","12Gi"])");
  CHECK_EQ(json_of("[~, null, Null, NULL, '', nULL]"), R"([null,null,null,null,"","nULL"])");
  CHECK_EQ(json_of("[18446744073709551615, 9223372036854775807, -9223372036854775808]"),
           "[18446744073709551615,9223372036854775807,-9223372036854775808]");
  CHECK_EQ(json_of("[!!str 1, !!int '5', !!bool 'yes', ! 7]"), R"(["1",5,true,"7"])");
  CHECK_EQ(json_of("a: .inf"), "error: line 1, column 4: .inf is no number that JSON can hold");
}

TEST_CASE("yaml: the core dialect keeps words that Kubernetes changes") {
  CHECK_EQ(json_of("[yes, off, 017, y]", {}), R"(["yes","off",17,"y"])");
  CHECK_EQ(json_of("<<: {a: 1}", {}), R"({"<<":{"a":1}})");
}

TEST_CASE("yaml: merge keys give way to what is written, the first of a list wins") {
  CHECK_EQ(json_of("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}"),
           R"({"a":{"x":1,"y":2},"b":{"y":3,"x":1}})");
  CHECK_EQ(json_of("- &a {x: 1}\n- &b {x: 2, z: 3}\n- {<<: [*a, *b]}"),
           R"([{"x":1},{"x":2,"z":3},{"x":1,"z":3}])");
  CHECK_EQ(json_of("a: {<<: 1}").substr(0, 6), "error:");
  CHECK_EQ(json_of("a: {'<<': 1}"), R"({"a":{"<<":1}})");
}

TEST_CASE("yaml: keys that are no strings are told apart where the caller asks") {
  std::vector<OddKey> odd;
  YamlOptions options = kKubernetes;
  options.odd_keys = &odd;
  CHECK_EQ(json_of("a:\n  1: x\n  yes: y\n  '2': z\n  : w\n", options), R"({"a":{"2":"z"}})");
  REQUIRE_EQ(odd.size(), 3);
  CHECK_EQ(odd[0].pointer, "/a");
  CHECK_EQ(odd[0].text, "1");
  CHECK_EQ(odd[0].place.line, 2);
  CHECK_EQ(odd[1].text, "yes");
}

TEST_CASE("yaml: a tab does not indent, but stands in flow and after a colon") {
  CHECK_EQ(json_of("a:\n\tb\n"), "error: line 2, column 2: a tab does not indent; use spaces");
  CHECK_EQ(json_of("a: {\n\tb: 1}\nc: \tx\n"), R"({"a":{"b":1},"c":"x"})");
  CHECK_EQ(json_of("a:\n  - \tx\n"), R"({"a":["x"]})");
}

TEST_CASE("yaml: an alias inside its own value and aliases that multiply are refused at once") {
  CHECK_EQ(json_of("a: &a [*a]").substr(0, 6), "error:");
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 30; ++i)
    bomb += fmt::format("a{0}: &a{0} [*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1}]\n", i,
                        i - 1);
  const auto start = std::chrono::steady_clock::now();
  CHECK_EQ(json_of(bomb).substr(0, 6), "error:");
  CHECK_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  std::string heavy = "a: &a '" + std::string(1 << 20, 'x') + "'\nb: [";
  for (int i = 0; i < 100'000; ++i) heavy += "*a,";
  CHECK_NE(json_of(heavy + "]").find("more than 1000000 nodes"), std::string::npos);
}

TEST_CASE("yaml: a mapping of 100,000 keys takes no quadratic time") {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += fmt::format("k{}: {}\n", i, i);
  const auto start = std::chrono::steady_clock::now();
  auto document = parse_yaml(text, kKubernetes);
  REQUIRE(document.ok());
  CHECK_EQ(document->tree.size(), 100'000);
  CHECK_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  CHECK_EQ(json_of(text + "k77: 1\n"), "error: line 100001, column 1: duplicate key 'k77'");
}

TEST_CASE("yaml: nesting is bounded, in flow and in block style") {
  CHECK_EQ(json_of(std::string(100'000, '[')).substr(0, 6), "error:");
  std::string block;
  for (int i = 0; i < 100'000; ++i) block += "- ";
  CHECK_EQ(json_of(block).substr(0, 6), "error:");
}

TEST_CASE("yaml: what is written has its style, and quotes only what would be misread") {
  const Json tree = {{"name", "qwen"},
                     {"yes", "no"},
                     {"version", "1.10"},
                     {"args", {"--port=8000", "-c", "- x", "a: b", "0x10", "22:22", "10Gi"}},
                     {"script", "set -e\n  exec x\n"},
                     {"tail", "a\nb"},
                     {"empty", Json::object()},
                     {"none", Json::array()},
                     {"list", {{{"a", 1}, {"b", {{"c", nullptr}}}}, {{"d", ""}}}}};
  CHECK_EQ(write_yaml(tree), R"(name: qwen
"yes": "no"
version: "1.10"
args:
  - --port=8000
  - -c
  - "- x"
  - "a: b"
  - "0x10"
  - "22:22"
  - 10Gi
script: |
  set -e
    exec x
tail: |-
  a
  b
empty: {}
none: []
list:
  - a: 1
    b:
      c: null
  - d: ""
)");
}

TEST_CASE("yaml: notes stand above or beside their field and never end a comment early") {
  const Json tree = {{"a", 1}, {"list", {{{"b", "x\ny\n"}}}}, {"c", {{"d", 2}}}};
  const YamlNotes notes = {{".", {"one\ntwo", ""}},
                           {"a", {"", "a\nb: 1"}},
                           {"list[0].b", {"why", "text"}},
                           {"c.d", {"formula", ""}}};
  const std::string text = write_yaml(tree, notes);
  CHECK_EQ(text, R"(# one
# two
a: 1  # a b: 1
list:
  -
    # why
    b: |  # text
      x
      y
c:
  # formula
  d: 2
)");
  CHECK_EQ(json_of(text), dump_json(tree));
}

TEST_CASE("yaml: every tree that is written reads back to itself, in both dialects") {
  std::mt19937 random(7);
  for (int round = 0; round < 4000; ++round) {
    const Json tree = random_tree(random, 4);
    const std::string text = write_yaml(tree);
    for (const YamlDialect dialect : {YamlDialect::kCore, YamlDialect::kKubernetes}) {
      auto back = parse_yaml(text, {.dialect = dialect});
      REQUIRE_MESSAGE(back.ok(), text << "\n" << back.error().message);
      REQUIRE_MESSAGE(back->tree == tree, text << "\n" << dump_json(tree));
    }
  }
}
