#include "core/placement/report/references.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

namespace aictl::placement {
namespace {

namespace fs = std::filesystem;

/// The vendor's repository of a shape; `quant`: what its weights are stored as.
struct Repository {
  std::string_view shape, name, quant = "BF16";
};

constexpr Repository kRepositories[] = {
    {"llama:1b", "meta-llama/Llama-3.2-1B-Instruct"},
    {"llama:3b", "meta-llama/Llama-3.2-3B-Instruct"},
    {"llama:8b", "meta-llama/Llama-3.1-8B-Instruct"},
    {"llama:70b", "meta-llama/Llama-3.3-70B-Instruct"},
    {"llama:405b", "meta-llama/Llama-3.1-405B-Instruct"},
    {"llama2:7b", "meta-llama/Llama-2-7b-chat-hf"},
    {"llama2:13b", "meta-llama/Llama-2-13b-chat-hf"},
    {"llama2:70b", "meta-llama/Llama-2-70b-chat-hf"},
    {"mistral:7b", "mistralai/Mistral-7B-Instruct-v0.3"},
    {"mistral:24b", "mistralai/Mistral-Small-24B-Instruct-2501"},
    {"mixtral:8x7b", "mistralai/Mixtral-8x7B-Instruct-v0.1"},
    {"mixtral:8x22b", "mistralai/Mixtral-8x22B-Instruct-v0.1"},
    {"qwen2.5:0.5b", "Qwen/Qwen2.5-0.5B-Instruct"},
    {"qwen2.5:1.5b", "Qwen/Qwen2.5-1.5B-Instruct"},
    {"qwen2.5:3b", "Qwen/Qwen2.5-3B-Instruct"},
    {"qwen2.5:7b", "Qwen/Qwen2.5-7B-Instruct"},
    {"qwen2.5:14b", "Qwen/Qwen2.5-14B-Instruct"},
    {"qwen2.5:32b", "Qwen/Qwen2.5-32B-Instruct"},
    {"qwen2.5:72b", "Qwen/Qwen2.5-72B-Instruct"},
    {"qwen3:0.6b", "Qwen/Qwen3-0.6B"},
    {"qwen3:1.7b", "Qwen/Qwen3-1.7B"},
    {"qwen3:4b", "Qwen/Qwen3-4B"},
    {"qwen3:8b", "Qwen/Qwen3-8B"},
    {"qwen3:14b", "Qwen/Qwen3-14B"},
    {"qwen3:32b", "Qwen/Qwen3-32B"},
    {"qwen3:30b-a3b", "Qwen/Qwen3-30B-A3B"},
    {"qwen3:235b-a22b", "Qwen/Qwen3-235B-A22B"},
    {"gemma2:2b", "google/gemma-2-2b-it"},
    {"gemma2:9b", "google/gemma-2-9b-it"},
    {"gemma2:27b", "google/gemma-2-27b-it"},
    {"gemma3:1b", "google/gemma-3-1b-it"},
    {"gemma3:4b", "google/gemma-3-4b-it"},
    {"gemma3:12b", "google/gemma-3-12b-it"},
    {"gemma3:27b", "google/gemma-3-27b-it"},
    {"phi3:3.8b", "microsoft/Phi-3-mini-128k-instruct"},
    {"phi4:14b", "microsoft/phi-4"},
    {"deepseek-v2:16b", "deepseek-ai/DeepSeek-V2-Lite-Chat"},
    {"deepseek-v3:671b", "deepseek-ai/DeepSeek-V3", "FP8"},
    {"deepseek-r1:671b", "deepseek-ai/DeepSeek-R1", "FP8"},
    {"gpt-oss:20b", "openai/gpt-oss-20b", "MXFP4"},
    {"gpt-oss:120b", "openai/gpt-oss-120b", "MXFP4"},
    {"smollm2:135m", "HuggingFaceTB/SmolLM2-135M-Instruct"},
    {"smollm2:360m", "HuggingFaceTB/SmolLM2-360M-Instruct"},
    {"smollm2:1.7b", "HuggingFaceTB/SmolLM2-1.7B-Instruct"},
};

// FAMILY:SIZE of a shape's name, in lower case.
std::string family_and_size(const ModelShape& shape) {
  std::string name = shape.name;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  const size_t first = name.find(':');
  return name.substr(0, name.find(':', std::min(first, name.size() - 1) + 1));
}

// The repository whose weights vLLM serves as planned: as they are, or made FP8 when it loads them.
const Repository* repository_of(const ModelShape& shape) {
  if (shape.source != "table" || shape.name.empty()) return nullptr;
  const std::string wanted = family_and_size(shape);
  for (const Repository& one : kRepositories)
    if (one.shape == wanted)
      return one.quant == shape.quant || (one.quant == "BF16" && shape.quant == "FP8") ? &one
                                                                                       : nullptr;
  return nullptr;
}

// What may stand between ${MODEL:? and }.
std::string harmless(std::string_view text) {
  std::string out;
  for (const unsigned char c : text)
    if (std::isalnum(c) || std::string_view(" ._:/,-").find(char(c)) != std::string_view::npos)
      out += char(c);
  return out;
}

std::string variable(const ModelShape& shape, std::string_view form) {
  const std::string name = shape.source == "table" ? family_and_size(shape) : shape.name;
  return fmt::format("\"${{MODEL:?{} of {} as {}}}\"", form, harmless(name), shape.quant);
}

enum class Form { kEither, kGguf, kSafetensors };

// In which files a weight format is found.
Form form_of(std::string_view quant) {
  for (const std::string_view one : {"BF16", "F16", "F32", "MXFP4"})
    if (quant == one) return Form::kEither;
  for (const std::string_view one : {"FP8", "INT8", "AWQ", "GPTQ", "INT4", "NVFP4"})
    if (quant == one) return Form::kSafetensors;
  return Form::kGguf;
}

}  // namespace

std::string model_word(const ModelShape& shape, Engine engine) {
  if (shape.source == "gguf" && !shape.path.empty()) return shell_word(shape.path);
  const Form form = form_of(shape.quant);
  if (engine != Engine::kVllm)
    return form == Form::kSafetensors ? "" : variable(shape, "a GGUF file");
  if (shape.source == "safetensors" && !shape.path.empty()) {
    const fs::path path(shape.path), parent = path.parent_path();
    if (path.extension() != ".safetensors") return shell_word(shape.path);
    return parent.empty() ? "." : shell_word(parent.string());
  }
  if (const Repository* known = repository_of(shape)) return shell_word(known->name);
  return variable(shape, form == Form::kGguf ? "a GGUF file" : "a folder or repository");
}

bool reads_on_cpu(const ModelShape& shape, Engine engine) {
  return engine != Engine::kVllm || form_of(shape.quant) == Form::kEither;
}

std::pair<std::string_view, std::string_view> shape_of_repository(std::string_view name) {
  for (const Repository& one : kRepositories)
    if (one.name == name) return {one.shape, one.quant};
  return {};
}

std::string vllm_weight_flags(const ModelShape& shape) {
  const Repository* known = repository_of(shape);
  return known && known->quant != shape.quant ? " --quantization fp8" : "";
}

std::string shell_word(std::string_view word) {
  const bool plain = !word.empty() && std::ranges::all_of(word, [](unsigned char c) {
    return std::isalnum(c) || std::string_view("_-./:,=@%+").find(char(c)) != std::string::npos;
  });
  if (plain) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  }
  return quoted + "'";
}

}  // namespace aictl::placement
