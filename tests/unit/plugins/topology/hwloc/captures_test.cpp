#include "tests/unit/plugins/topology/hwloc/captures.hpp"

namespace {

using namespace aictl;

// Numbers are compared as they are written, with six digits, which is what the captures carry.
bool same_number(const Json& got, const Json& want) {
  if (!got.is_number() || !want.is_number()) return false;
  return std::abs(got.get<double>() - want.get<double>()) <= 1e-5 * std::abs(want.get<double>());
}

// All that `want` says, `got` says too.
void check_covers(const Json& got, const Json& want, const std::string& path) {
  if (want.is_object()) {
    for (const auto& [key, value] : want.items()) {
      CHECK_MESSAGE(got.contains(key), path, " has no ", key);
      if (got.contains(key)) check_covers(got[key], value, path + "." + key);
    }
  } else if (want.is_array()) {
    CHECK_MESSAGE(got.size() == want.size(), path, ": ", got.size(), " for ", want.size());
    for (size_t i = 0; i < std::min(got.size(), want.size()); ++i)
      check_covers(got[i], want[i], path + "[" + std::to_string(i) + "]");
  } else {
    CHECK_MESSAGE((got == want || same_number(got, want)), path, ": ", dump_json(got), " for ",
                  dump_json(want));
  }
}

void check_expected(const fs::path& capture, const std::string& suffix, const Sight& sight) {
  const fs::path file =
      capture.parent_path() / "expected" / (capture.stem().string() + suffix + ".json");
  if (!fs::exists(file)) return;
  auto want = parse_json(bytes_of(file));
  REQUIRE(want.ok());
  if ((*want)["total_memory_bytes"] == 0) (*want)["total_memory_bytes"] = nullptr;  // unknown
  CAPTURE(capture.filename().string());
  check_covers(topology::to_json(must_import(bytes_of(capture), sight)), *want, "");
}

TEST_CASE("hwloc: every captured machine reads to its expected values, field by field") {
  for (const fs::path& capture : captures()) check_expected(capture, "", {});
}

TEST_CASE("hwloc: what a cpuset hides is there when asked for") {
  Sight sight;
  sight.disallowed = true;
  for (const fs::path& capture : captures()) check_expected(capture, ".disallowed", sight);
}

TEST_CASE("topology json: every captured machine comes back equal") {
  for (const fs::path& capture : captures()) {
    CAPTURE(capture.filename().string());
    const Topology topology = must_import(bytes_of(capture));
    const Json tree = topology::to_json(topology);
    const auto parsed = parse_json(dump_json(tree));
    REQUIRE(parsed.ok());
    const auto back = topology::from_json(*parsed);
    REQUIRE_MESSAGE(back.ok(), back.error().message);
    CHECK(*back == topology);
  }
}

}  // namespace
