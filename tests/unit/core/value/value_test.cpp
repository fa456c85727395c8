#include <doctest/doctest.h>

#include "core/value/json.hpp"
#include "core/value/yaml.hpp"

using namespace aictl;

TEST_CASE("json: keys keep their order and text reads back to the same tree") {
  auto tree = parse_json(R"({"b":1,"a":[true,null,"x",1.5,-2]})");
  REQUIRE(tree.ok());
  CHECK_EQ(dump_json(*tree), R"({"b":1,"a":[true,null,"x",1.5,-2]})");
}

TEST_CASE("json: refusals name the place and the reason") {
  CHECK_EQ(parse_json("{\"a\":1,\"a\":2}").error().message, "duplicate key \"a\"");
  const Error error = parse_json("{\n \"a\": tru}").error();
  CHECK_EQ(error.code, ErrorCode::kDataRefused);
  CHECK_MESSAGE(error.message.starts_with("line 2, column "), error.message);
  CHECK_FALSE(parse_json("[1] 2").ok());
  CHECK_FALSE(parse_json("\"\xFF\"").ok());
  CHECK_FALSE(parse_json("").ok());
}

TEST_CASE("json: a thousand levels are refused, not recursed into") {
  const std::string deep = std::string(1000, '[') + std::string(1000, ']');
  CHECK_EQ(parse_json(deep).error().message, "nested deeper than 128 levels");
  CHECK(parse_json(deep, {.max_depth = 1000}).ok());
}

TEST_CASE("json: invalid UTF-8 in our own strings is replaced, never thrown") {
  CHECK_EQ(dump_json(Json("a\xFF")), "\"a\xEF\xBF\xBD\"");
}

TEST_CASE("yaml: scalars take the types of the core schema, and places are kept") {
  auto document = parse_yaml("a: 1\nb: [x, 1.5, true, ~, '7']\nc:\n  d: 0x10\n");
  REQUIRE(document.ok());
  CHECK_EQ(dump_json(document->tree), R"({"a":1,"b":["x",1.5,true,null,"7"],"c":{"d":16}})");
  CHECK_EQ(document->places["/c/d"].line, 4);
  CHECK_EQ(document->places["/c/d"].column, 3);
}

TEST_CASE("yaml: refusals name line and column") {
  CHECK_EQ(parse_yaml("a: 1\na: 2\n").error().message, "line 2, column 1: duplicate key 'a'");
  CHECK_FALSE(parse_yaml("a: [1\n").ok());
  CHECK_FALSE(parse_yaml("a: 1\n---\nb: 2\n").ok());
  CHECK_FALSE(parse_yaml("a: !secret x\n").ok());
  CHECK_FALSE(parse_yaml(std::string(5000, '[')).ok());
}

TEST_CASE("yaml: bytes that are no UTF-8 text are refused where they stand") {
  using namespace std::string_view_literals;
  const auto error_of = [](std::string_view bytes) {
    const auto document = parse_yaml(bytes);
    REQUIRE_FALSE(document.ok());
    CHECK_EQ(document.error().code, ErrorCode::kDataRefused);
    CHECK_EQ(document.error().hint, "write the file as UTF-8 text");
    return document.error().message;
  };
  CHECK_EQ(error_of("\xff\xfe\0"sv), "line 1, column 1: byte 0xff is not UTF-8");
  CHECK_EQ(error_of("a: 1\nb\xc3\xb6: \xe9\n"), "line 2, column 5: byte 0xe9 is not UTF-8");
  CHECK_EQ(error_of("a: x\0y\n"sv), "line 1, column 5: byte 0x00 is no character of a text");
  CHECK_EQ(error_of("\x7f"
                    "ELF\x02"),
           "line 1, column 5: byte 0x02 is no character of a text");
  CHECK(parse_yaml("\xef\xbb\xbf"
                   "a: \"\xc3\xb6\"\r\n\tb: 1")
            .ok() == false);  // a tab indents nothing
  CHECK(parse_yaml("\xef\xbb\xbf"
                   "a: \"\xc3\xb6\"\r\nb: 1\n")
            .ok());
}

TEST_CASE("yaml: what is dumped reads back to the same tree") {
  const Json tree = {{"text", "line 1\nline 2\n"},
                     {"number_like", "12"},
                     {"truth", "true"},
                     {"empty", Json::array()},
                     {"nested", {{"list", {1, 2.5, nullptr, "x: y"}}}},
                     {"void", ""}};
  auto back = parse_yaml(dump_yaml(tree));
  REQUIRE_MESSAGE(back.ok(), dump_yaml(tree));
  CHECK_EQ(dump_json(back->tree), dump_json(tree));
}
