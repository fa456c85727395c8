// Manifests that others wrote: a spec for each, and a line for what is not in it.
#include <doctest/doctest.h>

#include <cstdlib>

#include "core/base/file.hpp"
#include "core/manifest/document.hpp"
#include "core/platform/import/import.hpp"
#include "core/platform/spec/read.hpp"
#include "core/value/yaml_write.hpp"

using namespace aictl;

namespace {

// The spec under what was told, a comment a line.
std::string imported(const std::string& file) {
  auto text = read_file(file);
  REQUIRE(text);
  auto documents = manifest::read_documents(*text, file);
  REQUIRE(documents);
  std::vector<Json> objects;
  for (auto& each : *documents) objects.push_back(std::move(each.object));
  const auto spec = platform::import_spec(objects);
  if (!spec) return "# refused: " + spec.error().message + "\n";
  std::string out;
  for (const std::string& line : platform::untaken_lines(spec->untaken)) out += "# " + line + "\n";
  return out + write_yaml(spec->spec);
}

}  // namespace

TEST_CASE("import: manifests that others wrote give the spec beside them") {
  const auto files = manifest::find_files({std::string(AICTL_TEST_DATA) + "/manifests/foreign"});
  REQUIRE(files);
  int count = 0;
  for (const std::string& file : *files) {
    if (file.ends_with(".spec.yaml")) continue;
    ++count;
    const std::string expected = file.substr(0, file.size() - 5) + ".spec.yaml";
    const std::string made = imported(file);
    if (std::getenv("UPDATE_GOLDEN")) REQUIRE(write_file_atomically(expected, made).ok());
    auto text = read_file(expected);
    REQUIRE_MESSAGE(text.ok(), expected);
    CHECK(*text == made);
    CHECK(platform::read_platform(made, expected).ok());
  }
  CHECK(count >= 10);
}
