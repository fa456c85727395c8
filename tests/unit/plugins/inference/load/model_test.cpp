#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <span>
#include <string>

#include <doctest/doctest.h>

#include "plugins/services/inference/load/gguf_writer.hpp"
#include "plugins/services/inference/load/model.hpp"
#include "plugins/services/inference/load/random_model.hpp"
#include "plugins/services/inference/spec/rope.hpp"
#include "plugins/services/inference/spec/synthetic.hpp"

using namespace aictl;
using namespace aictl::inference;

namespace {

std::span<const std::byte> view(const std::string& bytes) {
  return std::as_bytes(std::span(bytes));
}

std::string refusal(const std::string& bytes) {
  const auto model = Model::parse(view(bytes), "x.gguf");
  return model.ok() ? "" : model.error().message;
}

const RandomModelOptions kSmall{.arch = "llama",
                                .layers = 1,
                                .hidden = 32,
                                .heads = 2,
                                .kv_heads = 1,
                                .head_dim = 16,
                                .ffn = 32,
                                .vocab = 320};

// The same length, so that nothing else moves.
std::string replaced(std::string bytes, const std::string& from, const std::string& to) {
  REQUIRE_EQ(from.size(), to.size());
  const size_t at = bytes.find(from);
  REQUIRE_NE(at, bytes.npos);
  return bytes.replace(at, from.size(), to);
}

// A file of metadata alone, for what read_rope looks at.
std::vector<double> frequencies(const GgufWriter& writer, Rope* out = nullptr) {
  const std::string bytes = writer.bytes();
  const auto file = Gguf::parse(view(bytes));
  REQUIRE_MESSAGE(file.ok(), file.error().message);
  auto rope = read_rope(*file, "llama", RopeStyle::kPair, 8);
  REQUIRE_MESSAGE(rope.ok(), rope.error().message);
  if (out) *out = *rope;
  return rope->inv_freq;
}

}  // namespace

TEST_CASE("model: a random model of each architecture opens with what was asked for") {
  for (const char* arch : {"llama", "qwen2", "qwen3"})
    for (RandomVocab kind : {RandomVocab::kBytes, RandomVocab::kSpm}) {
      RandomModelOptions options = kSmall;
      options.arch = arch;
      options.vocab_kind = kind;
      options.tied_head = kind == RandomVocab::kSpm;
      const std::string bytes = make_random_model(options).value();
      auto model = Model::parse(view(bytes));
      REQUIRE_MESSAGE(model.ok(), model.error().message);
      const ModelSpec& spec = model->spec();
      CHECK_EQ(spec.arch, arch);
      CHECK_EQ(spec.q_dim(), 32);
      CHECK_EQ(spec.kv_dim(), 16);
      CHECK_EQ(spec.vocab, 320);
      CHECK_EQ(spec.tied_head, options.tied_head);
      CHECK_EQ(spec.qkv_bias, spec.arch == "qwen2");
      CHECK_EQ(spec.qk_norm, spec.arch == "qwen3");
      CHECK_EQ(spec.rope.style, spec.arch == "llama" ? RopeStyle::kPair : RopeStyle::kHalf);
      CHECK_EQ(spec.rope.inv_freq.size(), 8);
      CHECK_EQ(model->vocab().tokens.size(), 320);
      CHECK_EQ(model->chat_templates().size(), 1);
      CHECK_EQ(model->tensors().get({Slot::kQ, 0}).rows, 32);
      CHECK_EQ(model->tensors().get({Slot::kQNorm, 0}).data != nullptr, spec.qk_norm);
      if (spec.tied_head)
        CHECK_EQ(model->tensors().get({Slot::kHead}).data,
                 model->tensors().get({Slot::kEmbedding}).data);
      CHECK(model->verify().ok());
    }
}

TEST_CASE("model: references survive a move") {
  const std::string bytes = make_random_model(kSmall).value();
  auto model = Model::parse(view(bytes));
  REQUIRE(model.ok());
  const TensorSource* tensors = &model->tensors();
  Model moved = std::move(*model);
  CHECK_EQ(&moved.tensors(), tensors);
  CHECK_EQ(moved.spec().n_layers, 1);
}

TEST_CASE("model: equal options make equal files, and the fingerprint tells others apart") {
  const std::string bytes = make_random_model(kSmall).value();
  CHECK_EQ(bytes, make_random_model(kSmall).value());
  RandomModelOptions other = kSmall;
  other.seed = 2;
  const std::string other_bytes = make_random_model(other).value();
  const std::string one = Model::parse(view(bytes))->fingerprint();
  CHECK_EQ(one.size(), 32);
  CHECK_EQ(one, Model::parse(view(bytes), "elsewhere")->fingerprint());
  CHECK_NE(one, Model::parse(view(other_bytes))->fingerprint());
}

TEST_CASE("model: describe has the stable keys") {
  RandomModelOptions options = kSmall;
  options.dtype = DType::kQ8_0;
  const std::string bytes = make_random_model(options).value();
  const Json d = Model::parse(view(bytes), "x.gguf")->describe();
  CHECK_EQ(d["architecture"], "llama");
  CHECK_EQ(d["file"], "x.gguf");
  CHECK_EQ(d["kv_bytes_per_token"], 1 * 2 * 16 * 2);
  CHECK_EQ(d["types"]["Q8_0"]["tensors"], 9);
  CHECK_EQ(d["types"]["F32"]["tensors"], 3);
  CHECK_EQ(d["tokenizer"]["model"], "gpt2");
  CHECK_EQ(d["chat_templates"][0], "default");
  CHECK_EQ(d["parameters"], 2 * 320 * 32 + 3 * 32 + 2 * 32 * 32 + 2 * 16 * 32 + 3 * 32 * 32);
}

TEST_CASE("model: missing, extra and misshapen tensors are refused by name") {
  const std::string bytes = make_random_model(kSmall).value();
  CHECK_EQ(refusal(replaced(bytes, "blk.0.attn_v.weight", "blk.0.attn_x.weight")),
           "x.gguf: tensor 'blk.0.attn_v.weight' is missing");
  CHECK_EQ(refusal(replaced(bytes, "output.weight", "outpux.weight")),
           "x.gguf: tensor 'blk.0.attn_output.weight' is missing");
  const size_t head = bytes.rfind("output.weight");  // without a head the model is tied
  std::string extra = bytes;
  extra.replace(head, 6, "outpux");
  CHECK_EQ(refusal(extra), "x.gguf: tensor 'outpux.weight' is none of architecture llama's");
  std::string gate = bytes;
  const size_t at = bytes.find("blk.0.ffn_gate.weight") + 21 + 4;
  std::swap_ranges(gate.begin() + static_cast<long>(at), gate.begin() + static_cast<long>(at) + 8,
                   gate.begin() + static_cast<long>(at) + 8);
  CHECK_EQ(refusal(gate), "");  // 32 x 32: turning it round changes nothing
  gate = bytes;
  gate[at] = 16;
  CHECK_EQ(refusal(gate),
           "x.gguf: tensor 'blk.0.ffn_gate.weight' has dimensions [16, 32], expected [32, 32]");
}

TEST_CASE("model: metadata that contradicts itself or asks for more is refused by key") {
  const std::string bytes = make_random_model(kSmall).value();
  auto with = [&](const char* key, uint32_t value) {
    std::string changed = bytes;
    const size_t at = bytes.find(key) + std::string(key).size() + 4;
    std::memcpy(changed.data() + at, &value, sizeof value);
    return refusal(changed);
  };
  CHECK_EQ(with("llama.block_count", 0),
           "x.gguf: key 'llama.block_count': found u32 0, expected an integer in 1..1024");
  CHECK_EQ(with("llama.block_count", 2), "x.gguf: tensor 'blk.1.attn_norm.weight' is missing");
  CHECK_EQ(with("llama.attention.head_count_kv", 3), "x.gguf: 3 kv heads do not divide 2 heads");
  CHECK_EQ(with("llama.attention.value_length", 8),
           "x.gguf: values of 8 dimensions beside keys of 16");
  CHECK_EQ(with("llama.vocab_size", 321),
           "x.gguf: tensor 'token_embd.weight' has 320 rows, key 'llama.vocab_size' says 321");
  CHECK_EQ(with("llama.embedding_length", 33),
           "x.gguf: tensor 'token_embd.weight' has dimensions [32, 320], expected [33, 320]");
  CHECK_EQ(refusal(replaced(bytes, "llama.vocab_size", "llama.expert_cou")),
           "");  // unknown: ignored
  GgufWriter experts;
  experts.add_text("general.architecture", "llama");
  experts.add_u32("llama.expert_count", 8);
  CHECK_EQ(refusal(experts.bytes()),
           "x.gguf: key 'llama.expert_count': found 8, expected 0 or none");
}

TEST_CASE("model: an architecture without a row brings the nearest one") {
  GgufWriter w;
  w.add_text("general.architecture", "lama");
  const std::string bytes = w.bytes();
  const auto model = Model::parse(view(bytes), "x.gguf");
  REQUIRE_FALSE(model.ok());
  CHECK_EQ(model.error().code, ErrorCode::kUnsupported);
  CHECK_EQ(model.error().message, "x.gguf: architecture 'lama' is not supported");
  CHECK_EQ(model.error().hint, "did you mean 'llama'?");
  GgufWriter none;
  none.add_u32("x", 1);
  CHECK_EQ(refusal(none.bytes()), "x.gguf: key 'general.architecture' is missing");
  const std::string keyless = none.bytes();
  CHECK_EQ(Model::parse(view(keyless)).error().code, ErrorCode::kDataRefused);
}

TEST_CASE("model: verify names the tensor with a value that is not finite") {
  std::string bytes = make_random_model(kSmall).value();
  const auto model = Model::parse(view(bytes), "x.gguf");
  REQUIRE(model.ok());
  const auto* down = model->tensors().get({Slot::kDown, 0}).data;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(bytes.data() + (down - reinterpret_cast<const std::byte*>(bytes.data())) + 32 * 4 + 8,
              &nan, sizeof nan);
  const auto verified = model->verify();
  REQUIRE_FALSE(verified.ok());
  CHECK_NE(
      verified.error().message.find("tensor 'blk.0.ffn_down.weight' has nan at row 1, column 2"),
      std::string::npos);
}

TEST_CASE("rope: each scaling ends in one table") {
  const auto plain = frequencies(GgufWriter());
  REQUIRE_EQ(plain.size(), 4);
  for (int i = 0; i < 4; ++i) CHECK_EQ(plain[i], doctest::Approx(std::pow(10000.0, -i / 4.0)));

  GgufWriter linear;
  linear.add_text("llama.rope.scaling.type", "linear");
  linear.add_f32("llama.rope.scaling.factor", 4);
  for (int i = 0; i < 4; ++i) CHECK_EQ(frequencies(linear)[i], doctest::Approx(plain[i] / 4));

  GgufWriter old;
  old.add_f32("llama.rope.scale_linear", 2);
  CHECK_EQ(frequencies(old)[1], doctest::Approx(plain[1] / 2));

  GgufWriter none;
  none.add_text("llama.rope.scaling.type", "none");
  none.add_f32("llama.rope.scaling.factor", 4);
  CHECK_EQ(frequencies(none)[1], doctest::Approx(plain[1]));

  GgufWriter factors;
  const float divisors[] = {1, 2, 4, 8};
  factors.add_tensor("rope_freqs.weight", 0, 4, DType::kF32, divisors);
  for (int i = 0; i < 4; ++i)
    CHECK_EQ(frequencies(factors)[i], doctest::Approx(plain[i] / divisors[i]));

  GgufWriter yarn;
  yarn.add_text("llama.rope.scaling.type", "yarn");
  yarn.add_f32("llama.rope.scaling.factor", 4);
  yarn.add_u32("llama.rope.scaling.original_context_length", 4096);
  Rope rope;
  const auto scaled = frequencies(yarn, &rope);
  CHECK_EQ(scaled[0], doctest::Approx(plain[0]));      // many turns: kept
  CHECK_EQ(scaled[3], doctest::Approx(plain[3] / 4));  // less than one turn: interpolated
  CHECK_EQ(rope.amplitude, doctest::Approx(1 + 0.1 * std::log(4.0)));
}

TEST_CASE("rope: scalings we do not know and factors that make no sense are refused") {
  auto refused = [](const GgufWriter& writer) {
    const std::string bytes = writer.bytes();
    const auto file = Gguf::parse(view(bytes), "x.gguf");
    REQUIRE(file.ok());
    const auto rope = read_rope(*file, "llama", RopeStyle::kPair, 8);
    return rope.ok() ? "" : rope.error().message;
  };
  GgufWriter longrope;
  longrope.add_text("llama.rope.scaling.type", "longrope");
  CHECK_EQ(refused(longrope),
           "x.gguf: key 'llama.rope.scaling.type': found 'longrope', expected none, "
           "linear or yarn");
  GgufWriter negative;
  negative.add_f32("llama.rope.scaling.factor", -1);
  CHECK_EQ(refused(negative),
           "x.gguf: key 'llama.rope.scaling.factor': found -1, expected a number above 0");
  GgufWriter factors;
  const float divisors[] = {1, 0, 4, 8};
  factors.add_tensor("rope_freqs.weight", 0, 4, DType::kF32, divisors);
  CHECK_EQ(refused(factors),
           "x.gguf: tensor 'rope_freqs.weight' holds 0, expected numbers above 0");
}

TEST_CASE("random model: sizes that make no model are refused") {
  RandomModelOptions options = kSmall;
  options.vocab = 100;
  CHECK_EQ(make_random_model(options).error().code, ErrorCode::kInvalidArgument);
  options = kSmall;
  options.kv_heads = 3;
  CHECK_FALSE(make_random_model(options).ok());
  options = kSmall;
  options.arch = "gpt9";
  CHECK_FALSE(make_random_model(options).ok());
}

TEST_CASE("synthetic: known shapes start at once and decode to sane weights") {
  for (const char* name : {"L1", "l8", "0.5B"})
    for (DType type : {DType::kQ8_0, DType::kQ4_0, DType::kF16}) {
      auto made = SyntheticModel::make(name, type);
      REQUIRE_MESSAGE(made.ok(), made.error().message);
      SyntheticModel model = std::move(*made);
      const TensorView head = model.tensors().get({Slot::kHead});
      CHECK_EQ(head.rows, model.spec().vocab);
      CHECK_EQ(head.cols, model.spec().hidden);
      std::vector<float> row(static_cast<size_t>(head.cols));
      for (int64_t r : {int64_t{0}, head.rows / 2, head.rows - 1}) {
        dequant_row(type, head.data + static_cast<size_t>(r) * head.row_bytes, row.data(),
                    head.cols);
        double norm = 0;
        for (float x : row) norm += double{x} * x;
        CHECK_EQ(std::sqrt(norm / static_cast<double>(head.cols)),
                 doctest::Approx(0.02).epsilon(0.25));
      }
    }
  CHECK_EQ(SyntheticModel::make("L1", DType::kQ8_0)->weight_bytes() / 10000000, 131);
  CHECK_EQ(SyntheticModel::make("L9", DType::kQ8_0).error().code, ErrorCode::kNotFound);
  CHECK_EQ(SyntheticModel::make("0.5b", DType::kQ4_K).error().code, ErrorCode::kUnsupported);
}
