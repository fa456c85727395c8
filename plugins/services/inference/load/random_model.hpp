// Complete tiny models with random weights: so that a first run works without a download, and tests
// without data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/base/result.hpp"
#include "core/tensor/dtype.hpp"

namespace aictl::inference {

enum class RandomVocab : uint8_t {
  kBytes,  // byte-level BPE: 256 bytes, merges of letters, control tokens of ChatML
  kSpm,    // SentencePiece: <unk> <s> </s>, 256 byte tokens, pieces, control tokens of ChatML
};

struct RandomModelOptions {
  std::string arch = "llama";  // llama, qwen2, qwen3
  int layers = 2, hidden = 64, heads = 4, kv_heads = 2, head_dim = 16, ffn = 128;
  int vocab = 512;  // at least 320
  int context = 2048;
  DType dtype = DType::kF32;  // of matrices; rows that do not fit its block become Q8_0 or F32
  bool mixed = false;         // as "_M" files: value, down and head matrices as Q6_K
  bool tied_head = false;
  RandomVocab vocab_kind = RandomVocab::kBytes;
  std::string name = "random";
  std::string chat_template = {};  // empty: ChatML, which knows no tools
  uint64_t seed = 1;
};

/// The file's bytes; equal options give equal bytes. Errors: kInvalidArgument for sizes that make
/// no model.
Result<std::string> make_random_model(const RandomModelOptions& options);

/// The same to a file. Errors: also kIo.
Result<void> write_random_model(const std::filesystem::path& path,
                                const RandomModelOptions& options);

}  // namespace aictl::inference
