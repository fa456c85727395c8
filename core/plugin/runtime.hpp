// Runtime: a model opened in this process, for the commands that use one directly: run, chat,
// model, tokenize, render, bench. The server stands on the same engine (service.hpp).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/config/schema.hpp"
#include "core/plugin/generation.hpp"
#include "core/value/json.hpp"

namespace aictl {

struct Plugins;

/// Whether tokens are guessed ahead and checked together: the same answers, sooner.
enum class Speculation : uint8_t {
  kOff,
  kNgram,  // guesses what followed the same tokens earlier in the prompt or the answer
};

/// How a model is run. Zero means: what the model, the machine and its limits suggest.
struct EngineSettings {
  std::string backend = "cpu";
  int threads = 0;
  int context = 0;           // tokens a sequence may have
  int concurrency = 0;       // sequences computed at once
  uint64_t kv_memory = 0;    // bytes for the KV cache
  int step_tokens = 0;       // tokens computed in a step: the size of a prefill chunk
  int max_queue = 256;       // requests that may wait
  bool prefix_cache = true;  // prompts reuse what earlier ones computed
  std::chrono::milliseconds token_latency{100};  // between two tokens, while prompts are computed
  Speculation speculate = Speculation::kOff;
};

/// The rows of EngineSettings, for any command that runs a model.
std::vector<Row> engine_rows(EngineSettings& settings);

/// Messages as a model sees them. `tokens` has special tokens only where the template wrote them.
struct ChatPrompt {
  std::string text;
  std::vector<int32_t> tokens;
};

/// What generate() made. `text` is without stop strings and control tokens.
struct Answer {
  std::vector<int32_t> tokens;
  std::string text;
  Finished end;
};

/// Takes text as it comes, whole UTF-8 sequences; returns false to end the generation.
using TextSink = std::function<bool(std::string_view)>;

/// The text side of a model file: tokenizer and chat template, of any architecture. Callable from
/// any thread.
class LocalText {
 public:
  virtual ~LocalText() = default;
  /// `special`: adds what the model wants around a text (bos), and reads special tokens out of it.
  virtual Result<std::vector<int32_t>> tokenize(std::string_view text, bool special) const = 0;
  /// Errors: kInvalidArgument naming a token that is not in the vocabulary.
  virtual Result<std::string> detokenize(std::span<const int32_t> tokens) const = 0;
  /// Whether it has a chat template.
  virtual bool can_chat() const = 0;
  /// Renders the chat template. `request` has messages and, if wanted, tools, add_generation_prompt
  /// and chat_template_kwargs, as in a chat request. Errors: kUnsupported without a template; what
  /// the template raises.
  virtual Result<ChatPrompt> render(const Json& request) const = 0;
};

/// An opened model. Its header is read and checked at open; weights by load(), which generate() and
/// logprobs() call themselves. Used by one thread.
class LocalModel {
 public:
  virtual ~LocalModel() = default;
  virtual const LocalText& text() const = 0;
  /// What the file says and what running it takes: stable keys, see man aictl-model-show.
  virtual Json describe() const = 0;
  /// Loads weights and starts the engine; does nothing the second time.
  virtual Result<void> load() = 0;
  /// Errors: as Engine::submit; what ended it, unless it stopped, reached its length or `sink`
  /// ended it.
  virtual Result<Answer> generate(GenerateRequest request, const std::vector<std::string>& stop,
                                  const TextSink& sink) = 0;
  /// Natural logprobs of the token after `tokens`, [vocab].
  virtual Result<std::vector<float>> logprobs(std::vector<int32_t> tokens) = 0;
};

/// What `bench model` measures. Synthetic weights take no file: speed does not depend on their
/// values.
struct BenchOptions {
  std::string synthetic = "L1";  // shape: L1, L8, 0.5b
  std::string dtype = "q8_0";
  std::filesystem::path model;  // instead of `synthetic`
  int prompt_tokens = 512;
  int decode_tokens = 32;
  int context = 0;  // tokens already in the cache when decoding starts
  int batch = 1;    // sequences decoded at once
  int repeat = 3;
};

/// What `verify determinism` computes.
struct VerifyOptions {
  int requests = 16;
  int prompt_tokens = 150;  // of the longest prompt
  int max_tokens = 64;      // that each request makes: it crosses a KV block
};

/// An extension point: an engine that runs models in this process.
class Runtime {
 public:
  virtual ~Runtime() = default;
  /// Errors: kNotFound, kDataRefused, kUnsupported, each naming the file and the key or tensor.
  virtual Result<std::unique_ptr<LocalModel>> open(const std::filesystem::path& model,
                                                   const EngineSettings& settings) = 0;
  /// The text side alone, also of files without weights and of architectures that cannot be run.
  virtual Result<std::unique_ptr<LocalText>> open_text(const std::filesystem::path& model) = 0;
  /// The header of a model file of any architecture, also of one that cannot be run: architecture,
  /// file_bytes, weight_bytes, parameters, metadata{}, tensors[{name, type, dims, elements,
  /// bytes}]. Errors: kNotFound, kIo; kDataRefused and kUnsupported as the file's format says.
  virtual Result<Json> inspect(const std::filesystem::path& model) = 0;
  /// Ceilings and speeds of one run, with shares of the ceilings: see man aictl-bench-model for the
  /// keys.
  virtual Result<Json> bench(const BenchOptions& options, const EngineSettings& settings,
                             const std::function<void(std::string_view)>& progress) = 0;
  /// The ceilings alone.
  virtual Result<Json> ceilings(const EngineSettings& settings) = 0;
  /// The built-in tiny random model: made at its place in the user's cache if it is not there yet.
  virtual Result<std::filesystem::path> builtin_model() = 0;
  /// Computes requests alone and then under other circumstances: deterministic, requests, tokens,
  /// backend{}, checks[{name, same, differences[],
  /// reused_tokens, parkings, accepted_tokens}], after a restart also
  /// disk_tokens. Errors: as open and
  /// LocalModel::load; kInvalidArgument for more tokens than the model was trained for.
  virtual Result<Json> verify(const std::filesystem::path& model, const VerifyOptions& options,
                              const EngineSettings& settings,
                              const std::function<void(std::string_view)>& progress) = 0;
};

using RuntimeFactory = std::function<std::unique_ptr<Runtime>(const Plugins&)>;

/// Finds the model's file: asks each source in turn. Errors: kNotFound naming the reference and
/// where was looked.
Result<std::filesystem::path> resolve_model(const Plugins& plugins, std::string_view reference);

}  // namespace aictl
