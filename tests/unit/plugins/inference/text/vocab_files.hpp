// The published vocabularies and the vectors beside them, where they are.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "plugins/services/inference/load/gguf.hpp"
#include "plugins/services/inference/spec/vocab_source.hpp"
#include "plugins/services/inference/text/tokenizer.hpp"

namespace aictl::text_test {

/// The folder with vocabularies and their test vectors, where there is one.
inline std::optional<std::filesystem::path> vocab_folder() {
  const std::filesystem::path folder = std::filesystem::path(AICTL_SHARED) / "models" / "vocab";
  if (!std::filesystem::is_directory(folder)) return std::nullopt;
  return folder;
}

inline Result<Tokenizer> open_tokenizer(const std::filesystem::path& path) {
  auto file = inference::Gguf::open(path);
  if (!file) return std::move(file).error();
  auto source = inference::read_vocab_source(*file);
  if (!source) return std::move(source).error();
  return Tokenizer::make(*source);
}

/// Inputs of an .inp file: separated by a line of their own.
inline std::vector<std::string> split_inputs(std::string_view text) {
  constexpr std::string_view kSeparator = "\n__ggml_vocab_test__\n";
  std::vector<std::string> inputs;
  for (size_t at; (at = text.find(kSeparator)) != text.npos;
       text.remove_prefix(at + kSeparator.size()))
    inputs.emplace_back(text.substr(0, at));
  return inputs;
}

/// Ids of an .out file, a line an input.
inline std::vector<std::vector<int32_t>> split_outputs(const std::string& text) {
  std::vector<std::vector<int32_t>> outputs(1);
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '\n') {
      outputs.emplace_back();
      ++at;
    } else if (text[at] == ' ') {
      ++at;
    } else {
      size_t used = 0;
      outputs.back().push_back(std::stoi(text.substr(at, 12), &used));
      at += used;
    }
  }
  outputs.pop_back();
  return outputs;
}

}  // namespace aictl::text_test
