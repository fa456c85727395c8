// The published vectors: real vocabularies, real inputs, the ids their own tokenizers gave.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/base/file.hpp"
#include "plugins/services/inference/text/detokenizer.hpp"
#include "tests/unit/plugins/inference/text/vocab_files.hpp"

namespace aictl {
namespace {

void check_vectors(const std::string& name) {
  const auto folder = text_test::vocab_folder();
  if (!folder) {
    fmt::print("skipped: no folder of vocabularies for {}\n", name);
    return;
  }
  const std::filesystem::path path = *folder / fmt::format("ggml-vocab-{}.gguf", name);
  const auto tokenizer = text_test::open_tokenizer(path);
  REQUIRE_MESSAGE(tokenizer.ok(), tokenizer.error().message);
  const auto inputs = text_test::split_inputs(read_file(path.string() + ".inp").value());
  const auto outputs = text_test::split_outputs(read_file(path.string() + ".out").value());
  REQUIRE(inputs.size() == outputs.size());
  REQUIRE(inputs.size() > 40);
  for (size_t i = 0; i < inputs.size(); ++i) {
    CAPTURE(inputs[i]);
    const auto ids = tokenizer->encode(inputs[i], {.add_special = false, .parse_special = false});
    CHECK_MESSAGE(*ids == outputs[i],
                  fmt::format("{}: {} instead of {}", name, fmt::join(*ids, " "),
                              fmt::join(outputs[i], " ")));
    CHECK(detokenize(*tokenizer, *ids, {.at_text_start = true}) == inputs[i]);
  }
}

}  // namespace

TEST_CASE("vectors: llama-spm gives the published ids") { check_vectors("llama-spm"); }
TEST_CASE("vectors: gpt-2 gives the published ids") { check_vectors("gpt-2"); }
TEST_CASE("vectors: deepseek-llm gives the published ids") { check_vectors("deepseek-llm"); }
TEST_CASE("vectors: deepseek-coder gives the published ids") { check_vectors("deepseek-coder"); }
TEST_CASE("vectors: falcon gives the published ids") { check_vectors("falcon"); }
TEST_CASE("vectors: mpt gives the published ids") { check_vectors("mpt"); }
TEST_CASE("vectors: phi-3 gives the published ids") { check_vectors("phi-3"); }
TEST_CASE("vectors: refact gives the published ids") { check_vectors("refact"); }
TEST_CASE("vectors: starcoder gives the published ids") { check_vectors("starcoder"); }

}  // namespace aictl
