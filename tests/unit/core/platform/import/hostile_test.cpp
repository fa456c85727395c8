// What nobody should send: no crash, no hang, one answer.
#include <doctest/doctest.h>

#include <random>

#include "core/base/file.hpp"
#include "core/manifest/document.hpp"
#include "core/platform/import/import.hpp"
#include "core/platform/spec/read.hpp"
#include "core/value/yaml_write.hpp"

using namespace aictl;

namespace {

using Random = std::mt19937;

size_t pick(Random& random, size_t count) { return random() % count; }

Json odd_value(Random& random) {
  static const Json kValues[] = {nullptr,
                                 true,
                                 -1,
                                 9223372036854775807,
                                 18446744073709551615u,
                                 1e300,
                                 "",
                                 "a",
                                 "../..",
                                 "\n\x01",
                                 "$(X)",
                                 "0x10",
                                 "-5Gi",
                                 "9999999999999Ti",
                                 Json::array(),
                                 Json::object(),
                                 Json::array({1, "a", nullptr}),
                                 std::string(300, 'x'),
                                 "hf://",
                                 "vllm serve",
                                 "--model"};
  return kValues[pick(random, std::size(kValues))];
}

// A place in the tree, any with the same likelihood at each branch.
Json* any_place(Json& node, Random& random) {
  Json* at = &node;
  for (int depth = 0; depth < 12 && at->is_structured() && !at->empty(); ++depth) {
    if (depth > 1 && pick(random, 6) == 0) break;
    auto child = at->begin();
    std::advance(child, long(pick(random, at->size())));
    at = &*child;
  }
  return at;
}

void mutate(std::vector<Json>& objects, Random& random) {
  Json& object = objects[pick(random, objects.size())];
  Json* place = any_place(object, random);
  switch (pick(random, 4)) {
    case 0:
      *place = odd_value(random);
      break;
    case 1: {  // what stands elsewhere
      Json other = *any_place(objects[pick(random, objects.size())], random);
      *any_place(object, random) = std::move(other);
      break;
    }
    case 2:
      if (place->is_object() && !place->empty()) place->erase(place->begin().key());
      if (place->is_array() && !place->empty()) place->erase(0);
      break;
    default:
      objects.push_back(object);
  }
}

}  // namespace

TEST_CASE("import: 2,000 sets of mutated manifests are imported or refused") {
  std::vector<Json> all;
  const auto files = manifest::find_files({std::string(AICTL_TEST_DATA) + "/manifests/foreign"});
  REQUIRE(files);
  for (const std::string& file : *files) {
    if (file.ends_with(".spec.yaml")) continue;
    auto text = read_file(file);
    REQUIRE(text);
    auto documents = manifest::read_documents(*text, file);
    REQUIRE(documents);
    for (auto& each : *documents) all.push_back(std::move(each.object));
  }
  REQUIRE(all.size() > 30);
  Random random(20260401);
  int taken = 0;
  for (int round = 0; round < 2000; ++round) {
    std::vector<Json> objects;
    for (int i = 0; i < 6; ++i) objects.push_back(all[pick(random, all.size())]);
    for (int i = 0; i < 8; ++i) mutate(objects, random);
    const auto imported = platform::import_spec(objects);
    if (!imported) {
      CHECK(imported.error().code == ErrorCode::kDataRefused);
      continue;
    }
    ++taken;
    const auto read = platform::read_platform(write_yaml(imported->spec), "the imported spec");
    CHECK_MESSAGE(read.ok(), write_yaml(imported->spec));
    CHECK(platform::untaken_lines(imported->untaken).size() <= objects.size() + 20);
  }
  CHECK(taken > 500);
}

TEST_CASE("import: nothing, scalars and objects without a name are refused with one error") {
  for (const std::vector<Json>& objects :
       {std::vector<Json>{}, std::vector<Json>{nullptr, 1, "a", Json::array()},
        std::vector<Json>{Json::object()}, std::vector<Json>{{{"kind", "Deployment"}}}}) {
    const auto imported = platform::import_spec(objects);
    REQUIRE(!imported);
    CHECK(imported.error().code == ErrorCode::kDataRefused);
    CHECK(imported.error().message.starts_with("nothing to run in"));
  }
}
