#include <string>

#include <doctest/doctest.h>

#include "core/manifest/quantity.hpp"

using namespace aictl;
using namespace aictl::manifest;

namespace {

std::string canonical(std::string_view text) {
  const auto quantity = parse_quantity(text);
  return quantity ? format_quantity(*quantity) : "none";
}

}  // namespace

TEST_CASE("quantities: the one way to write them is the API server's") {
  CHECK_EQ(canonical("1"), "1");
  CHECK_EQ(canonical("1500m"), "1500m");
  CHECK_EQ(canonical("1.5"), "1500m");
  CHECK_EQ(canonical("1000m"), "1");
  CHECK_EQ(canonical("1000"), "1k");
  CHECK_EQ(canonical("1024Ki"), "1Mi");
  CHECK_EQ(canonical("1.5Gi"), "1536Mi");
  CHECK_EQ(canonical("0.5Ki"), "512");
  CHECK_EQ(canonical("1e3"), "1k");
  CHECK_EQ(canonical("12E6"), "12M");
  CHECK_EQ(canonical("-2Gi"), "-2Gi");
  CHECK_EQ(canonical("0"), "0");
  CHECK_EQ(canonical("0Gi"), "0");
  CHECK_EQ(canonical("100u"), "100u");
  CHECK_EQ(canonical("1.1n"), "2n");
  CHECK_EQ(canonical("9Ei"), canonical("9223372036854775807"));
}

TEST_CASE("quantities: what is none is refused, however long") {
  for (const char* text :
       {"", "Gi", "1 Gi", "1GiB", "1gi", "1K", "0x10", "1e", "1e+", ".", "--1", "1.2.3", "1Mi "})
    CHECK_MESSAGE(!parse_quantity(text), text);
  CHECK_EQ(canonical("1e999999999999999999999"), canonical("9223372036854775807"));
  CHECK_EQ(canonical("1e-999999999999999999999"), "1n");
  CHECK_EQ(canonical(std::string(100'000, '9')), canonical("9223372036854775807"));
}

TEST_CASE("quantities: they compare by value, whatever their unit") {
  CHECK(*parse_quantity("1Gi") > *parse_quantity("1G"));
  CHECK(*parse_quantity("1000m") == *quantity_of(Json(1)));
  CHECK(*quantity_of(Json(1.5)) == *parse_quantity("1500m"));
  CHECK(!quantity_of(Json(true)));
  CHECK_FALSE(parse_quantity("1.5")->is_whole());
  CHECK_EQ(parse_quantity("1.2")->rounded_up(), 2);
  CHECK_EQ(parse_quantity("-1.2")->rounded_up(), -1);
}
