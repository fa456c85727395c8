// What a header says, of models that run and of those that do not.
#include "plugins/services/inference/load/inspect.hpp"

#include <filesystem>
#include <vector>

#include <doctest/doctest.h>

#include "plugins/services/inference/load/gguf_writer.hpp"

using namespace aictl;
using namespace aictl::inference;

namespace {

Json inspected(const GgufWriter& writer) {
  const std::string bytes = writer.bytes();
  const auto file = Gguf::parse(std::as_bytes(std::span(bytes)), "x.gguf");
  REQUIRE_MESSAGE(file.ok(), (file.ok() ? "" : file.error().message));
  return inspect(*file);
}

}  // namespace

TEST_CASE("inspect: an unknown architecture has its metadata and tensors told") {
  const int32_t heads[] = {4, 8};
  const std::string words[] = {"a", "b"};
  GgufWriter writer;
  writer.add_text("general.architecture", "rwkv99");
  writer.add_u32("rwkv99.block_count", 2);
  writer.add_bool("rwkv99.flag", true);
  writer.add_ints("rwkv99.heads", heads);
  writer.add_texts("tokenizer.ggml.tokens", words);
  writer.add_tensor("w", {256, 2}, 12, std::string(288, '\0'));
  const Json tree = inspected(writer);
  CHECK_EQ(tree["architecture"], "rwkv99");
  CHECK_EQ(tree["weight_bytes"], 288);
  CHECK_EQ(tree["parameters"], 512);
  CHECK_EQ(tree["metadata"]["rwkv99.block_count"], 2);
  CHECK_EQ(tree["metadata"]["rwkv99.flag"], true);
  CHECK_EQ(tree["metadata"]["rwkv99.heads"], Json({4, 8}));
  CHECK_EQ(tree["metadata"]["tokenizer.ggml.tokens"], Json({{"array_of", "string"}, {"count", 2}}));
  CHECK_EQ(tree["tensors"][0], Json({{"name", "w"},
                                     {"type", "Q4_K"},
                                     {"dims", {256, 2}},
                                     {"elements", 512},
                                     {"bytes", 288}}));
}

TEST_CASE("inspect: long arrays and long texts are cut, numbers that are none are told as text") {
  GgufWriter writer;
  writer.add_text("long", std::string(100000, 'x'));
  const std::vector<float> many(5000, 1.0f);
  writer.add_floats("many", many);
  writer.add_f32("nan", __builtin_nanf(""));
  const Json tree = inspected(writer);
  CHECK_EQ(tree["architecture"], "");
  CHECK_EQ(tree["metadata"]["long"].get<std::string>().size(), 4096);
  CHECK_EQ(tree["metadata"]["many"], Json({{"array_of", "f32"}, {"count", 5000}}));
  CHECK(tree["metadata"]["nan"].is_string());
  CHECK(tree["tensors"].empty());
}

TEST_CASE("inspect: every vocabulary of the shared models can be looked into") {
  const std::filesystem::path folder = std::filesystem::path(AICTL_SHARED) / "models/vocab";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("no vocabularies here: skipped");
    return;
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".gguf") continue;
    const auto file = Gguf::open(entry.path());
    REQUIRE_MESSAGE(file.ok(), entry.path().string());
    const Json tree = inspect(*file);
    CHECK_FALSE(tree["architecture"].get<std::string>().empty());
    CHECK_FALSE(tree["metadata"].empty());
  }
}
