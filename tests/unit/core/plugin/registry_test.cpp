// The registry of an extension point.
#include <doctest/doctest.h>

#include "core/plugin/registry.hpp"

using namespace aictl;

TEST_CASE("registry: rows keep their order and are found by name") {
  Registry<int> registry("policy");
  registry.add("second", "the other", 2);
  registry.add("first", "the one", 1);
  REQUIRE(registry.rows().size() == 2);
  CHECK(registry.rows()[0].name == "second");
  const auto found = registry.find("first");
  REQUIRE(found.ok());
  CHECK((*found)->make == 1);
  CHECK((*found)->description == "the one");
}

TEST_CASE("registry: an unknown name is an error that says what exists") {
  Registry<int> registry("policy");
  registry.add("least_loaded", "the emptiest", 1);
  const auto near = registry.find("least_load");
  REQUIRE(!near.ok());
  CHECK(near.error().code == ErrorCode::kNotFound);
  CHECK(near.error().message == "no policy named 'least_load'");
  CHECK(near.error().hint ==
        "did you mean 'least_loaded'?  to see them all: aictl plugin list --kind policy");
  CHECK(registry.find("x").error().hint == "to see them all: aictl plugin list --kind policy");
}
