#include "plugins/services/inference/load/random_model.hpp"

#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "core/base/file.hpp"
#include "core/base/utf8.hpp"
#include "core/tensor/model_spec.hpp"
#include "plugins/services/inference/load/gguf_writer.hpp"
#include "plugins/services/inference/spec/arch.hpp"
#include "plugins/services/inference/spec/tensors.hpp"

namespace aictl::inference {
namespace {

constexpr std::string_view kChatMl =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] "
    "+ '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' "
    "}}{% endif %}";
constexpr int kSmallestVocab = 320;
enum : int32_t { kNormal = 1, kUnknownToken = 2, kControl = 3, kUnused = 5, kByteToken = 6 };

// Random numbers that are the same with every standard library: splitmix64, and a sum of uniforms
// in place of a normal distribution.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15ull;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
  }
  float uniform() { return static_cast<float>(next() >> 40) * 0x1p-24f; }  // [0, 1)
  float normal() {  // variance 1, bell-shaped
    return (uniform() + uniform() + uniform() + uniform() - 2) * 1.7320508f;
  }

 private:
  uint64_t state_;
};

struct Vocabulary {
  std::vector<std::string> tokens, merges;
  std::vector<float> scores;
  std::vector<int32_t> types;
  void add(std::string text, int32_t type, float score = 0) {
    tokens.push_back(std::move(text));
    types.push_back(type);
    scores.push_back(score);
  }
};

// The printable character that stands for a byte in byte-level vocabularies.
std::string byte_character(int byte) {
  auto itself = [](int b) { return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174; };
  char32_t code = static_cast<char32_t>(byte);
  if (!itself(byte)) {
    code = 256;
    for (int b = 0; b < byte; ++b) code += itself(b) ? 0 : 1;
  }
  std::string out;
  utf8::append(out, code);
  return out;
}

// Pieces of two letters, frequent ones first; the second row of words begins with a space.
std::vector<std::pair<std::string, std::string>> letter_pairs(const std::string& space) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (char c : std::string_view("taoisw")) pairs.emplace_back(space, std::string(1, c));
  for (char a : std::string_view("etaoinshrdlu"))
    for (char b : std::string_view("etaoinshrdlu"))
      pairs.emplace_back(std::string(1, a), std::string(1, b));
  return pairs;
}

void add_chat_tokens(Vocabulary& v) {
  v.add("<|im_start|>", kControl);
  v.add("<|im_end|>", kControl);
}

Vocabulary byte_vocabulary(int size) {
  Vocabulary v;
  for (int b = 0; b < 256; ++b) v.add(byte_character(b), kNormal);
  v.add("<|endoftext|>", kControl);
  add_chat_tokens(v);
  for (const auto& [a, b] : letter_pairs(byte_character(' '))) {
    if (static_cast<int>(v.tokens.size()) >= size) break;
    v.add(a + b, kNormal);
    v.merges.push_back(a + " " + b);
  }
  while (static_cast<int>(v.tokens.size()) < size)
    v.add(fmt::format("<|unused_{}|>", v.tokens.size()), kUnused);
  return v;
}

Vocabulary spm_vocabulary(int size) {
  const std::string space = "\u2581";
  Vocabulary v;
  v.add("<unk>", kUnknownToken);
  v.add("<s>", kControl);
  v.add("</s>", kControl);
  for (int b = 0; b < 256; ++b) v.add(fmt::format("<0x{:02X}>", b), kByteToken);
  add_chat_tokens(v);
  v.add(space, kNormal, -1);
  for (char c = 'a'; c <= 'z'; ++c) v.add(std::string(1, c), kNormal, -2);
  float score = -10;
  for (const auto& [a, b] : letter_pairs(space)) {
    if (static_cast<int>(v.tokens.size()) >= size) break;
    v.add(a + b, kNormal, score -= 1);
  }
  while (static_cast<int>(v.tokens.size()) < size)
    v.add(fmt::format("<|unused_{}|>", v.tokens.size()), kUnused);
  return v;
}

void write_vocabulary(GgufWriter& file, const RandomModelOptions& o) {
  const std::string prefix = "tokenizer.ggml.";
  const bool spm = o.vocab_kind == RandomVocab::kSpm;
  const Vocabulary v = spm ? spm_vocabulary(o.vocab) : byte_vocabulary(o.vocab);
  file.add_text(prefix + "model", spm ? "llama" : "gpt2");
  file.add_text(prefix + "pre", spm ? "default" : "gpt-2");
  file.add_texts(prefix + "tokens", v.tokens);
  file.add_ints(prefix + "token_type", v.types);
  if (spm)
    file.add_floats(prefix + "scores", v.scores);
  else
    file.add_texts(prefix + "merges", v.merges);
  file.add_u32(prefix + "bos_token_id", spm ? 1 : 256);
  file.add_u32(prefix + "eos_token_id", spm ? 2 : 256);
  file.add_u32(prefix + "eot_token_id", spm ? 260 : 258);
  if (spm) file.add_u32(prefix + "unknown_token_id", 0);
  file.add_bool(prefix + "add_bos_token", spm);
  file.add_text("tokenizer.chat_template",
                o.chat_template.empty() ? kChatMl : std::string_view(o.chat_template));
}

void write_sizes(GgufWriter& file, const RandomModelOptions& o) {
  const std::string prefix = o.arch + ".";
  file.add_text("general.architecture", o.arch);
  file.add_text("general.name", o.name);
  file.add_u32(prefix + "context_length", static_cast<uint32_t>(o.context));
  file.add_u32(prefix + "embedding_length", static_cast<uint32_t>(o.hidden));
  file.add_u32(prefix + "block_count", static_cast<uint32_t>(o.layers));
  file.add_u32(prefix + "feed_forward_length", static_cast<uint32_t>(o.ffn));
  file.add_u32(prefix + "attention.head_count", static_cast<uint32_t>(o.heads));
  file.add_u32(prefix + "attention.head_count_kv", static_cast<uint32_t>(o.kv_heads));
  file.add_u32(prefix + "attention.key_length", static_cast<uint32_t>(o.head_dim));
  file.add_u32(prefix + "attention.value_length", static_cast<uint32_t>(o.head_dim));
  file.add_u32(prefix + "vocab_size", static_cast<uint32_t>(o.vocab));
  file.add_f32(prefix + "attention.layer_norm_rms_epsilon", 1e-5f);
  file.add_f32(prefix + "rope.freq_base", 10000.0f);
}

bool is_bias(Slot slot) {
  return slot == Slot::kQBias || slot == Slot::kKBias || slot == Slot::kVBias;
}

DType type_of(const RandomModelOptions& o, Slot slot, int64_t cols) {
  const bool finer = slot == Slot::kV || slot == Slot::kDown || slot == Slot::kHead ||
                     (slot == Slot::kEmbedding && o.tied_head);
  DType type = o.mixed && finer ? DType::kQ6_K : o.dtype;
  if (cols % format(type).block != 0) type = DType::kQ8_0;
  if (cols % format(type).block != 0) type = DType::kF32;
  return type;
}

void write_tensors(GgufWriter& file, const RandomModelOptions& o, const ModelSpec& spec) {
  Random random(o.seed);
  std::vector<float> values;
  for (TensorId id : tensors_of(spec)) {
    const TensorShape shape = tensor_shape(spec, id.slot);
    // Outputs of unit size from inputs of unit size; logits spread over a few units.
    const float scale = shape.vector ? 0.1f
                        : id.slot == Slot::kEmbedding
                            ? 1.0f / std::sqrt(static_cast<float>(o.hidden)) * 2
                            : 1.0f / std::sqrt(static_cast<float>(shape.cols));
    values.resize(static_cast<size_t>(shape.rows * shape.cols));
    for (float& v : values)
      v = random.normal() * scale + (shape.vector && !is_bias(id.slot) ? 1.0f : 0.0f);
    file.add_tensor(tensor_name(id), shape.vector ? 0 : shape.rows, shape.cols,
                    shape.vector ? DType::kF32 : type_of(o, id.slot, shape.cols), values);
  }
}

Result<ModelSpec> shape_of(const RandomModelOptions& o) {
  auto arch = find_arch(o.arch);
  if (!arch) return std::move(arch).error();
  for (int size : {o.layers, o.hidden, o.heads, o.kv_heads, o.head_dim, o.ffn, o.context})
    if (size < 1 || size > 65536)
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("a model size of {} is not in 1..65536", size), ""};
  if (o.heads % o.kv_heads != 0 || o.head_dim % 2 != 0)
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} heads, {} kv heads of {} dimensions: kv heads must divide heads "
                             "and dimensions be even",
                             o.heads, o.kv_heads, o.head_dim),
                 ""};
  if (o.vocab < kSmallestVocab || o.vocab > 1 << 20)
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("a vocabulary of {} is not in {}..{}", o.vocab, kSmallestVocab, 1 << 20), ""};
  ModelSpec spec;
  spec.arch = o.arch;
  spec.n_layers = o.layers, spec.hidden = o.hidden, spec.n_heads = o.heads;
  spec.n_kv_heads = o.kv_heads, spec.head_dim = o.head_dim, spec.ffn = o.ffn, spec.vocab = o.vocab;
  spec.qk_norm = (*arch)->qk_norm;
  spec.qkv_bias = (*arch)->qkv_bias == QkvBias::kAlways;
  spec.tied_head = o.tied_head;
  return spec;
}

}  // namespace

Result<std::string> make_random_model(const RandomModelOptions& options) {
  auto spec = shape_of(options);
  if (!spec) return std::move(spec).error();
  GgufWriter file;
  write_sizes(file, options);
  write_vocabulary(file, options);
  write_tensors(file, options, *spec);
  return file.bytes();
}

Result<void> write_random_model(const std::filesystem::path& path,
                                const RandomModelOptions& options) {
  auto bytes = make_random_model(options);
  if (!bytes) return std::move(bytes).error();
  return write_file_atomically(path, *bytes);
}

}  // namespace aictl::inference
