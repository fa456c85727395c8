#include "core/topology/bitset.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>

namespace {

using aictl::ErrorCode;
using aictl::topology::Bitset;

Bitset list(std::string_view text) {
  auto set = Bitset::parse_list(text);
  REQUIRE_MESSAGE(set.ok(), set.error().message);
  return *set;
}

std::string from_hex(std::string_view text) {
  auto set = Bitset::parse_hex(text);
  REQUIRE_MESSAGE(set.ok(), set.error().message);
  return set->list();
}

TEST_CASE("bitset: lists read and write ranges") {
  CHECK(list("0-3,8").indexes() == std::vector<int>{0, 1, 2, 3, 8});
  CHECK(list("0-3,8").list() == "0-3,8");
  CHECK(list("8,2,1,0,3").list() == "0-3,8");
  CHECK(list(" 1 , 3-4\n").list() == "1,3-4");
  CHECK(list("0-15:4").list() == "0,4,8,12");
  CHECK(list("63-64").list() == "63-64");
  CHECK(list("65535").list() == "65535");
  CHECK(list("0-65535").count() == 65536);
  CHECK(list("").empty());
  CHECK(list(" \n").list() == "");
}

TEST_CASE("bitset: lists that do not read name the part") {
  for (const char* text :
       {"1-", "-1", "-", "3-1", "1,,2", "1,", "a", "1-2-3", "1:0", "1:", ":2", "65536", "0-65536",
        "99999999999", "1-5:2147483647", "+1", "0x1", "1.5"}) {
    CAPTURE(text);
    const auto set = Bitset::parse_list(text);
    REQUIRE_FALSE(set.ok());
    CHECK(set.error().code == ErrorCode::kInvalidArgument);
  }
  CHECK(Bitset::parse_list("0-3,x,9").error().message == "'x' in '0-3,x,9' is not a set");
}

TEST_CASE("bitset: an error shows the start of a long text only") {
  const auto set = Bitset::parse_list(std::string(1'000'000, 'x'));
  REQUIRE_FALSE(set.ok());
  CHECK(set.error().message.size() < 200);
}

TEST_CASE("bitset: hexadecimal reads as one number, as words, with and without zeroes left out") {
  CHECK(from_hex("0x0000010f") == "0-3,8");
  CHECK(from_hex("10f") == "0-3,8");
  CHECK(from_hex("0x10F") == "0-3,8");
  CHECK(from_hex("0x00000001,0x00000000") == "32");
  CHECK(from_hex("0x1,,0x3") == "0-1,64");  // as hwloc leaves words of zeroes out
  CHECK(from_hex("00000000,000fffff") == "0-19");
  CHECK(from_hex("10000000000000000") == "64");
  CHECK(from_hex("0x0") == "");
  CHECK(from_hex("8" + std::string(16383, '0')) == "65535");
}

TEST_CASE("bitset: hexadecimal that does not read is refused") {
  for (const std::string& text :
       {std::string(""), std::string("0x"), std::string("xyz"), std::string("0x1g"),
        std::string("123456789,0"), std::string("0xf...f"), "1" + std::string(16384, '0'),
        std::string(100'000, ',')}) {
    CAPTURE(text.substr(0, 20));
    CHECK_FALSE(Bitset::parse_hex(text).ok());
  }
}

TEST_CASE("bitset: whichever form a text has is seen") {
  CHECK(Bitset::parse("0-3")->list() == "0-3");
  CHECK(Bitset::parse("10")->list() == "10");
  CHECK(Bitset::parse("0x10")->list() == "4");
  CHECK(Bitset::parse("ff")->list() == "0-7");
  CHECK(Bitset::parse("00000001,00000000")->list() == "32");
  CHECK(Bitset::parse("e9")->list() == "0,3,5-7");
}

TEST_CASE("bitset: what may be a number with an exponent is refused, and told how to write it") {
  for (const char* text : {"1e9", "12E3", " 1e0 "}) {
    CAPTURE(text);
    const auto set = Bitset::parse(text);
    REQUIRE_FALSE(set.ok());
    CHECK(set.error().hint.find("0x1") != std::string::npos);
  }
  CHECK(Bitset::parse("0x1e9")->list() == "0,3,5-8");
}

TEST_CASE("bitset: what is written in any of three ways reads back equal") {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    Bitset set;
    const int most = 1 << (random() % 12);
    for (int i = 0; i < round % 40; ++i) set.set(int(random() % most));
    CAPTURE(set.list());
    CHECK(*Bitset::parse_list(set.list()) == set);
    CHECK(*Bitset::parse_hex(set.hex()) == set);
    CHECK(*Bitset::parse_hex(set.taskset()) == set);
    CHECK(*Bitset::parse(set.hex()) == set);
    CHECK(*Bitset::parse(set.taskset()) == set);
  }
  CHECK(Bitset().hex() == "0x0");
  CHECK(Bitset().taskset() == "0x0");
  CHECK(list("0-3,8").hex() == "0x0000010f");
  CHECK(list("32").hex() == "0x00000001,0x00000000");
  CHECK(list("0,64").taskset() == "0x10000000000000001");
}

TEST_CASE("bitset: operations are those of sets") {
  std::mt19937 random(11);
  const auto as_bits = [](const std::set<int>& set) {
    Bitset bits;
    for (int i : set) bits.set(i);
    return bits;
  };
  for (int round = 0; round < 300; ++round) {
    std::set<int> a, b, both, either, rest;
    for (int i = 0; i < round % 25; ++i) a.insert(int(random() % 200));
    for (int i = 0; i < round % 31; ++i) b.insert(int(random() % 140));
    for (int i : a) (b.contains(i) ? both : rest).insert(i);
    either = a;
    either.insert(b.begin(), b.end());
    CHECK((as_bits(a) & as_bits(b)) == as_bits(both));
    CHECK((as_bits(a) | as_bits(b)) == as_bits(either));
    CHECK((as_bits(a) - as_bits(b)) == as_bits(rest));
    CHECK(as_bits(a).contains(as_bits(both)));
    CHECK(as_bits(a).contains(as_bits(b)) == (both == b));
    CHECK(as_bits(a).intersects(as_bits(b)) == !both.empty());
    CHECK(as_bits(a).count() == int(a.size()));
    CHECK(as_bits(a).first() == (a.empty() ? -1 : *a.begin()));
    CHECK(as_bits(a).last() == (a.empty() ? -1 : *a.rbegin()));
    CHECK(as_bits(a).indexes() == std::vector<int>(a.begin(), a.end()));
  }
}

TEST_CASE("bitset: a set that loses its highest index equals one that never had it") {
  Bitset set = list("1,200");
  set.clear(200);
  CHECK(set == list("1"));
  set.clear(1);
  set.clear(5000);
  CHECK(set.empty());
  CHECK(set == Bitset());
  CHECK_FALSE(list("1").test(64));
  CHECK_FALSE(list("1").test(-1));
}

}  // namespace
