#include <doctest/doctest.h>

#include "core/manifest/document.hpp"
#include "core/manifest/write.hpp"

using namespace aictl;
using namespace aictl::manifest;

TEST_CASE("documents: a stream gives each object its number, label and places") {
  const Reading reading = read_text(
      "# head\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  labels:\n"
      "    app.kubernetes.io/name: x\nspec:\n  ports:\n    - port: 80\n---\n---\nkind: Pod\n...\n",
      "s.yaml");
  REQUIRE(reading.problems.empty());
  REQUIRE_EQ(reading.documents.size(), 2);
  const Document& service = reading.documents[0];
  CHECK_EQ(service.label(), "Service/a");
  CHECK_EQ(service.place("spec.ports[0].port").line, 11);
  CHECK_EQ(service.place("spec.ports[0].port").column, 7);
  CHECK_EQ(service.place("metadata.labels.app.kubernetes.io/name").line, 8);
  CHECK_EQ(service.place("spec.ports[0].targetPort").line, 11);
  CHECK_EQ(service.place("spec.ports[7].name").line, 10);
  CHECK_EQ(service.place(".").line, 3);
  CHECK_EQ(reading.documents[1].label(), "Pod/document 2");
  CHECK_EQ(reading.documents[1].place(".").line, 14);
}

TEST_CASE("documents: the items of a List stand for it, with their places") {
  const Reading reading = read_text(
      "kind: List\nitems:\n  - {kind: A, metadata: {name: a}}\n  - kind: B\n    spec:\n      x: "
      "1\n",
      "-");
  REQUIRE_EQ(reading.documents.size(), 2);
  CHECK_EQ(reading.documents[0].label(), "A/a");
  CHECK_EQ(reading.documents[1].place("spec.x").line, 6);
  CHECK(read_text("kind: List\nitems:\n", "-").documents.empty());
}

TEST_CASE("documents: what is no YAML is a problem with its place, and the others are read") {
  const Reading reading = read_text("a: 1\n---\na: [\n---\nb: 2\n---\nc: 1\nc: 2\n", "f.yaml");
  REQUIRE_EQ(reading.documents.size(), 2);
  REQUIRE_EQ(reading.problems.size(), 2);
  CHECK_EQ(reading.problems[0].rule, "yaml");
  CHECK_EQ(reading.problems[0].line, 4);
  CHECK_EQ(reading.problems[1].line, 8);
  CHECK_EQ(reading.problems[1].message, "not YAML: duplicate key 'c'");
  CHECK_EQ(read_documents("a: 1\na: 2\n", "f").error().message,
           "f:2:1: not YAML: duplicate key 'a'");
}

TEST_CASE("documents: a key that is no string is told with the path of its mapping") {
  const Reading reading =
      read_text("kind: ConfigMap\ndata:\n  list:\n    - 1: x\n      on: y\n", "f");
  REQUIRE_EQ(reading.problems.size(), 2);
  CHECK_EQ(reading.problems[0].path, "data.list[0]");
  CHECK_EQ(reading.problems[0].message, "key 1 is not a string");
  CHECK_EQ(reading.problems[1].line, 5);
  REQUIRE_EQ(reading.documents.size(), 1);
  CHECK(reading.documents[0].object["data"]["list"][0].empty());
}

TEST_CASE("documents: JSON is read as it is, tabs and escapes included") {
  const Reading reading =
      read_text("{\n\t\"kind\": \"Pod\",\n\t\"a\\/b\": \"\\ud83d\\ude00\"}", "f.json");
  REQUIRE_MESSAGE(reading.problems.empty(), reading.problems[0].message);
  CHECK_EQ(reading.documents[0].object["a/b"], "\xf0\x9f\x98\x80");
}

TEST_CASE("documents: 50 MB are refused at once, with their size") {
  const Error error = read_documents(std::string(50'000'000, ' '), "big").error();
  CHECK_EQ(error.code, ErrorCode::kTooLarge);
  CHECK_EQ(error.message, "big: 50 MB of text, at most 33 are read");
}

TEST_CASE("documents: what is written is read back, header and separators aside") {
  const Json a = {{"kind", "A"}, {"on", "yes"}}, b = {{"kind", "B"}};
  const Notes notes = {{"on", {"why", ""}}};
  const std::vector<Written> written = {{&a, &notes}, {&b}};
  const std::string text = write_documents(written, "made by aictl\nfor a test");
  CHECK_EQ(text, "# made by aictl\n# for a test\nkind: A\n# why\n\"on\": \"yes\"\n---\nkind: B\n");
  const Reading reading = read_text(text, "-");
  REQUIRE_EQ(reading.documents.size(), 2);
  CHECK_EQ(reading.documents[0].object, a);
  CHECK_EQ(reading.documents[1].object, b);
}
