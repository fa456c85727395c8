#include "plugins/services/inference/text/vocab.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <limits>
#include <set>

#include "tests/unit/plugins/inference/text/small_vocabs.hpp"

namespace aictl {
namespace {

using namespace text_test;

Error refusal(const VocabSource& source) {
  const auto vocab = Vocab::build(source);
  REQUIRE_FALSE(vocab.ok());
  return vocab.error();
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("vocab: an SPM vocabulary begins texts with token 1 and a space unless told otherwise") {
  const SmallVocab small = spm_vocab({"a"});
  VocabSource source = small.source();
  auto vocab = Vocab::build(source).value();
  CHECK(vocab.bos == 1);
  CHECK(vocab.eos == 2);
  CHECK(vocab.unknown == 0);
  CHECK(vocab.add_bos);
  CHECK_FALSE(vocab.add_eos);
  CHECK(vocab.add_space_prefix);
  CHECK(vocab.warnings.empty());
  source.add_bos = false;
  source.add_space_prefix = false;
  vocab = Vocab::build(source).value();
  CHECK_FALSE(vocab.add_bos);
  CHECK_FALSE(vocab.add_space_prefix);
}

TEST_CASE(
    "vocab: a missing pre-tokenizer is the default one with a warning, an unknown one is named") {
  const SmallVocab small = chat_vocab();
  VocabSource source = small.source();
  source.pre.reset();
  const auto vocab = Vocab::build(source).value();
  CHECK(vocab.pre == "default");
  REQUIRE(vocab.warnings.size() == 1);
  CHECK(contains(vocab.warnings[0], "pre-tokenizer"));
  source.pre = "martian";
  const Error error = refusal(source);
  CHECK(error.code == ErrorCode::kUnsupported);
  CHECK(contains(error.message, "'martian'"));
}

TEST_CASE("vocab: other kinds of tokenizer are refused by name") {
  for (const char* model : {"bert", "t5", "rwkv", "", "gemma4"}) {
    const SmallVocab small = chat_vocab();
    VocabSource source = small.source();
    source.model = model;
    const Error error = refusal(source);
    CHECK(error.code == ErrorCode::kUnsupported);
    CHECK(contains(error.message, fmt::format("'{}'", model)));
  }
}

TEST_CASE("vocab: arrays of different lengths, ids out of range and broken numbers are refused") {
  const SmallVocab spm = spm_vocab({"a"}), bpe = chat_vocab();
  VocabSource source = spm.source();
  source.scores.pop_back();
  CHECK(contains(refusal(source).message, "scores has 259 entries for 260 tokens"));
  source = spm.source();
  source.token_types.push_back(1);
  CHECK(contains(refusal(source).message, "token_type has 261"));
  source = spm.source();
  source.scores[7] = std::numeric_limits<float>::quiet_NaN();
  CHECK(contains(refusal(source).message, "token 7"));
  source = spm.source();
  source.token_types[9] = 7;
  CHECK(contains(refusal(source).message, "token 9 is 7"));
  source = spm.source();
  source.eos_id = 260;
  CHECK(contains(refusal(source).message, "eos_token_id is 260"));
  source.eos_id = std::numeric_limits<uint64_t>::max();
  CHECK(refusal(source).code == ErrorCode::kDataRefused);
  source = spm.source();
  source.end_ids = {1, 4096};
  CHECK(contains(refusal(source).message, "4096"));
  source = bpe.source();
  source.tokens.clear();
  source.token_types.clear();
  CHECK(contains(refusal(source).message, "0 tokens"));
}

TEST_CASE("vocab: a merge without two halves is refused with its place") {
  for (const char* merge : {"", " ", "ab", "a ", " a", "\xFF\xFF"}) {
    const SmallVocab small = chat_vocab();
    VocabSource source = small.source();
    source.merges[5] = merge;
    CHECK(contains(refusal(source).message, "merges entry 5"));
  }
}

TEST_CASE("vocab: minus one written as a u32 means that there is no such token") {
  const SmallVocab small = spm_vocab({"a"});
  VocabSource source = small.source();
  source.padding_id = 0xFFFFFFFF;
  CHECK(Vocab::build(source).value().padding == Vocab::kNoToken);
}

TEST_CASE("vocab: empty, doubled and broken tokens are tolerated with a warning") {
  SmallVocab small = chat_vocab();
  const int32_t first = small.add("twin");
  small.add("twin");
  small.add("");
  small.add("\xC3\x28");
  const auto vocab = Vocab::build(small.source()).value();
  CHECK(vocab.warnings.size() >= 3);
  CHECK(vocab.find("twin") == first);
  const Tokenizer tokenizer = small.tokenizer();
  CHECK(tokenizer.encode("twin \xC3\x28").ok());
}

TEST_CASE("vocab: tokens end a generation by id, by list and by text") {
  SmallVocab small = chat_vocab();
  const int32_t eot = small.add("<|eot_id|>", kControl), im = small.add("<|im_end|>", kNormal);
  const int32_t pad = small.add("<|fim_pad|>", kControl), prefix = small.add("<PRE>", kControl);
  VocabSource source = small.source();
  source.eos_id = 200;
  source.end_ids = {7};
  const auto vocab = Vocab::build(source).value();
  const int32_t end = vocab.find("<|end|>");
  for (const int32_t id : {eot, im, pad, end, 200, 7}) CHECK(vocab.is_end(id));
  CHECK_FALSE(vocab.is_end(prefix));
  CHECK_FALSE(vocab.is_end(-1));
  CHECK(vocab.fim_pad == pad);
  CHECK(vocab.fim_prefix == prefix);
  CHECK(vocab.is_control(im));  // whatever its type says
}

TEST_CASE("vocab: where answers have channels, the end of a message is not the end") {
  SmallVocab small = chat_vocab();
  CHECK(small.tokenizer().is_end(small.tokenizer().vocab().find("<|end|>")));
  small.add("<|return|>", kControl);
  small.add("<|call|>", kControl);
  const Tokenizer tokenizer = small.tokenizer();
  CHECK_FALSE(tokenizer.is_end(tokenizer.vocab().find("<|end|>")));
  CHECK(tokenizer.is_end(tokenizer.vocab().find("<|return|>")));
}

TEST_CASE("vocab: token 11 is the end of text by default where it is a control token only") {
  SmallVocab small = chat_vocab();
  CHECK(Vocab::build(small.source()).value().eos == Vocab::kNoToken);
  small.types[11] = kControl;
  CHECK(Vocab::build(small.source()).value().eos == 11);
}

TEST_CASE("vocab: random arrays are refused or become a vocabulary that encodes") {
  std::mt19937 random(7);
  for (int round = 0; round < 400; ++round) {
    SmallVocab small;
    small.model = round % 2 == 0 ? "llama" : "gpt2";
    const std::vector<std::string> parts = {"a", "b", " ", "\xE2\x96\x81", "<0x41>", "\xFF", "<s>"};
    for (size_t n = random() % 30; n > 0; --n)
      small.add(random_text(random, parts, 3), static_cast<int32_t>(random() % 8),
                static_cast<float>(random() % 5));
    for (size_t n = random() % 10; n > 0; --n)
      small.merges.push_back(random_text(random, parts, 4));
    VocabSource source = small.source();
    if (random() % 2 == 0) source.bos_id = random() % 40;
    if (random() % 8 == 0) source.token_types.clear();
    auto tokenizer = Tokenizer::make(source);
    if (!tokenizer) continue;
    const auto ids = tokenizer->encode(random_text(random, parts, 20)).value();
    for (const int32_t id : ids) CHECK(tokenizer->vocab().has(id));
  }
}

TEST_CASE("vocab: 256k tokens with as many merges are ready in a moment") {
  SmallVocab small = bpe_vocab({}, 0);
  std::mt19937 random(3);
  const size_t count = 256000;
  std::set<std::string> seen;
  while (small.tokens.size() < count) {
    const std::string left = small.tokens[random() % small.tokens.size()].substr(0, 24);
    const std::string right = small.tokens[random() % 256];
    if (!seen.insert(left + right).second) continue;
    small.merges.push_back(fmt::format("{} {}", left, right));
    small.add(left + right);
  }
  const VocabSource source = small.source();
  const auto begin = std::chrono::steady_clock::now();
  const auto tokenizer = Tokenizer::make(source);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  REQUIRE(tokenizer.ok());
  fmt::print("vocab: {} tokens, {} merges: {:.0f} ms\n", count, source.merges.size(),
             took.count() * 1e3);
  CHECK(took.count() < 20);  // sanitizers and busy machines included
}

}  // namespace aictl
