// Writes the seeds of the GGUF fuzzer into a folder: valid models, and files broken in each way the
// reader knows. Run once when the format's reader changes; its output is in git.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>

#include "core/base/file.hpp"
#include "plugins/services/inference/load/gguf_writer.hpp"
#include "plugins/services/inference/load/random_model.hpp"

using namespace aictl;
using namespace aictl::inference;

namespace {

std::string model(const char* arch, RandomVocab kind, bool tied, DType type) {
  return make_random_model({.arch = arch,
                            .layers = 1,
                            .hidden = 32,
                            .heads = 2,
                            .kv_heads = 1,
                            .head_dim = 4,
                            .ffn = 32,
                            .vocab = 320,
                            .dtype = type,
                            .tied_head = tied,
                            .vocab_kind = kind})
      .value();
}

std::string nested_arrays() {
  GgufWriter w;
  std::string inner(4 + 8 + 1, '\0');
  inner[4] = 1;
  for (int i = 0; i < 3; ++i) {
    std::string outer(12, '\0');
    outer[0] = 9, outer[4] = 1;
    inner = outer + inner;
  }
  w.add_raw("deep", 9, inner);
  return w.bytes();
}

std::string overlapping() {
  GgufWriter w;
  w.add_tensor("first", {8}, 0, std::string(32, 'x'));
  w.add_tensor("second", {8}, 0, std::string(32, 'x'));
  std::string bytes = w.bytes();
  const size_t at = bytes.find("second") + 6 + 4 + 8 + 4;
  std::memset(bytes.data() + at, 0, 8);
  return bytes;
}

std::string scaled(const char* scaling) {
  GgufWriter w;
  w.add_text("general.architecture", "llama");
  w.add_u32("llama.block_count", 1);
  w.add_u32("llama.embedding_length", 8);
  w.add_u32("llama.feed_forward_length", 8);
  w.add_u32("llama.context_length", 64);
  w.add_u32("llama.attention.head_count", 1);
  w.add_f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  w.add_text("llama.rope.scaling.type", scaling);
  w.add_f32("llama.rope.scaling.factor", 4);
  w.add_tensor("token_embd.weight", {8, 2}, 0, std::string(64, '\0'));
  w.add_tensor("rope_freqs.weight", {4}, 0, std::string(16, '\x3F'));
  return w.bytes();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: gguf_corpus FOLDER\n", stderr);
    return 2;
  }
  const std::string valid = model("llama", RandomVocab::kBytes, true, DType::kQ4_0);
  std::string lying = valid;
  std::memset(lying.data() + 8, 0xFF, 8);
  GgufWriter text;
  text.add_raw("t", 8, std::string(8, '\x7F'));
  const std::pair<const char*, std::string> seeds[] = {
      {"llama", valid},
      {"qwen2", model("qwen2", RandomVocab::kSpm, true, DType::kQ8_0)},
      {"qwen3", model("qwen3", RandomVocab::kBytes, true, DType::kQ4_0)},
      {"cut", valid.substr(0, valid.size() / 2)},
      {"lying_count", lying},
      {"lying_text", text.bytes()},
      {"nested", nested_arrays()},
      {"overlapping", overlapping()},
      {"linear", scaled("linear")},
      {"yarn", scaled("yarn")},
      {"empty", ""}};
  for (const auto& [name, bytes] : seeds) {
    const auto written = write_file_atomically(std::filesystem::path(argv[1]) / name, bytes);
    if (!written) {
      std::fprintf(stderr, "%s\n", written.error().message.c_str());
      return 1;
    }
  }
  return 0;
}
