#include "plugins/services/inference/local/local_model.hpp"

#include <chrono>
#include <cstdlib>

#include <fmt/format.h>

#include "core/openai/request/text.hpp"
#include "plugins/services/inference/api/prompt.hpp"
#include "plugins/services/inference/load/inspect.hpp"
#include "plugins/services/inference/load/random_model.hpp"
#include "plugins/services/inference/local/bench.hpp"
#include "plugins/services/inference/local/disk_cache.hpp"
#include "plugins/services/inference/local/loaded_model.hpp"
#include "plugins/services/inference/local/verify.hpp"
#include "plugins/services/inference/text/detokenizer.hpp"
#include "plugins/services/inference/text/stop_matcher.hpp"

namespace aictl::inference {
namespace {

constexpr auto kPoll =
    std::chrono::milliseconds(50);  // how soon a sink that wants to stop is asked

// What the messages or their template made wrong: here they are data, as a file's content is.
Error plain(const openai::ApiError& error) {
  return {error.status == 501 ? ErrorCode::kUnsupported : ErrorCode::kDataRefused, error.message,
          ""};
}

// Whoever asks here sets flags, not the fields of a request.
Error in_flags(Error error, std::string_view shorten) {
  if (error.code == ErrorCode::kTooLarge)
    error.hint = fmt::format("{}, or raise --context or --kv-memory", shorten);
  return error;
}

// Tokens as they come -> text for the sink, until a stop string.
class AnswerText {
 public:
  AnswerText(const Tokenizer& tokenizer, StopMatcher stops, const TextSink& sink)
      : detokenizer_(tokenizer), stops_(std::move(stops)), sink_(sink) {}

  // False once nothing more is wanted.
  bool push(const TokenOut& token) {
    raw_.clear();
    detokenizer_.push(token.id, raw_);
    return emit();
  }
  void flush() {
    if (stops_.stopped()) return;
    raw_.clear();
    detokenizer_.flush(raw_);
    emit();
    std::string rest;
    stops_.flush(rest);
    give(rest);
  }
  std::string text;

 private:
  bool emit() {
    std::string sure;
    const bool stopped = stops_.push(raw_, sure).has_value();
    return give(sure) && !stopped;
  }
  bool give(std::string_view piece) {
    text += piece;
    return sink_(piece);
  }

  Detokenizer detokenizer_;
  StopMatcher stops_;
  const TextSink& sink_;
  std::string raw_;
};

class OwnText final : public LocalText {
 public:
  explicit OwnText(TextSide side) : side_(std::move(side)) {}

  Result<std::vector<int32_t>> tokenize(std::string_view text, bool special) const override {
    return side_.tokenizer.encode(text, {.add_special = special, .parse_special = special});
  }

  Result<std::string> detokenize(std::span<const int32_t> tokens) const override {
    const Vocab& vocab = side_.tokenizer.vocab();
    for (const int32_t id : tokens)
      if (!vocab.has(id))
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("token {} is not in the vocabulary of {}", id, vocab.size()), ""};
    return aictl::detokenize(side_.tokenizer, tokens, {.show_control = true});
  }

  bool can_chat() const override { return side_.chat_template.has_value(); }

  Result<ChatPrompt> render(const Json& request) const override {
    auto parsed = openai::parse_apply_template(request);
    if (!parsed) return plain(parsed.error());
    auto made = chat_prompt(parsed->conversation, side_.template_or_null(), side_.tokenizer,
                            Clock().unix_seconds());
    if (!made) return plain(made.error());
    return ChatPrompt{std::move(made->text), std::move(made->tokens)};
  }

  const TextSide& side() const { return side_; }

 private:
  TextSide side_;
};

class OwnModel final : public LocalModel {
 public:
  OwnModel(TextModel opened, const EngineSettings& settings, const Plugins& plugins)
      : model_(std::move(opened.model)),
        text_(std::move(opened.text)),
        settings_(settings),
        plugins_(plugins) {
    settings_.concurrency = 1;
  }

  const LocalText& text() const override { return text_; }
  Json describe() const override { return model_.describe(); }

  Result<void> load() override {
    if (running_.engine) return {};
    auto planned = plan_model(model_, settings_, plugins_, 0);
    if (!planned) return std::move(planned).error();
    running_ = std::move(*planned);
    return start_model(model_, text_.side().tokenizer.vocab(), running_);
  }

  Result<Answer> generate(GenerateRequest request, const std::vector<std::string>& stop,
                          const TextSink& sink) override;

  Result<std::vector<float>> logprobs(std::vector<int32_t> tokens) override {
    if (auto loaded = load(); !loaded) return std::move(loaded).error();
    auto logprobs = running_.engine->logprobs(std::move(tokens));
    if (!logprobs) return in_flags(std::move(logprobs).error(), "shorten --tokens");
    return logprobs;
  }

 private:
  const Model model_;
  const OwnText text_;
  EngineSettings settings_;
  const Plugins& plugins_;
  RunningModel running_;  // last: its engine uses the model
};

Result<Answer> OwnModel::generate(GenerateRequest request, const std::vector<std::string>& stop,
                                  const TextSink& sink) {
  if (auto loaded = load(); !loaded) return std::move(loaded).error();
  const Tokenizer& tokenizer = text_.side().tokenizer;
  auto stops = StopMatcher::make(stop);
  if (!stops) return std::move(stops).error();
  request.dry_breakers = breaker_ids(request.sampling.dry_sequence_breakers, tokenizer);
  auto generation = running_.engine->submit(std::move(request));
  if (!generation)
    return in_flags(std::move(generation).error(), "shorten the prompt, lower --max-tokens");
  AnswerText text(tokenizer, std::move(*stops), sink);
  Answer answer;
  bool wanted = true;
  const auto take = [&] {
    for (const TokenOut& token : (*generation)->take()) {
      if (!wanted) break;
      answer.tokens.push_back(token.id);
      wanted = text.push(token);
    }
  };
  while (wanted && !(*generation)->done()) {
    if (!(*generation)->wait(Clock().now() + kPoll)) wanted = sink("");
    take();
  }
  take();  // what came between the last take and the end
  if (!wanted) (*generation)->cancel();
  text.flush();
  while (!(*generation)->done()) (*generation)->wait();
  answer.text = std::move(text.text);
  answer.end = *(*generation)->finished();
  if (answer.end.reason == FinishReason::kCancelled)
    answer.end.reason = FinishReason::kStop;  // by us, here
  if (answer.end.reason == FinishReason::kFailed) return answer.end.error;
  return answer;
}

class OwnRuntime final : public Runtime {
 public:
  explicit OwnRuntime(const Plugins& plugins) : plugins_(plugins) {}

  Result<std::unique_ptr<LocalModel>> open(const std::filesystem::path& path,
                                           const EngineSettings& settings) override {
    auto text = open_text_model(path);
    if (!text) return std::move(text).error();
    return std::unique_ptr<LocalModel>(
        std::make_unique<OwnModel>(std::move(*text), settings, plugins_));
  }

  Result<std::unique_ptr<LocalText>> open_text(const std::filesystem::path& path) override {
    auto side = open_text_side(path);
    if (!side) return std::move(side).error();
    return std::unique_ptr<LocalText>(std::make_unique<OwnText>(std::move(*side)));
  }

  Result<Json> inspect(const std::filesystem::path& path) override {
    auto file = Gguf::open(path);
    if (!file) return std::move(file).error();
    return inference::inspect(*file);
  }

  Result<Json> bench(const BenchOptions& options, const EngineSettings& settings,
                     const std::function<void(std::string_view)>& progress) override {
    auto backend = make_backend(settings);
    if (!backend) return std::move(backend).error();
    return bench_model(options, settings, **backend, progress);
  }

  Result<Json> ceilings(const EngineSettings& settings) override {
    auto backend = make_backend(settings);
    if (!backend) return std::move(backend).error();
    return bench_ceilings(**backend);
  }

  Result<std::filesystem::path> builtin_model() override { return inference::builtin_model(); }

  Result<Json> verify(const std::filesystem::path& path, const VerifyOptions& options,
                      const EngineSettings& settings,
                      const std::function<void(std::string_view)>& progress) override {
    auto model = open_text_model(path);
    if (!model) return std::move(model).error();
    return verify_determinism(*model, options, settings, plugins_, progress);
  }

 private:
  Result<std::unique_ptr<Backend>> make_backend(const EngineSettings& settings) const {
    auto row = plugins_.backends.find(settings.backend);
    if (!row) return std::move(row).error();
    BackendOptions options;
    options.threads = settings.threads;
    return (*row)->make(options);
  }

  const Plugins& plugins_;
};

// ChatML with tools, so that whatever a client sends can be tried out on it.
constexpr std::string_view kToolTemplate =
    R"({% if tools %}{{ '<|im_start|>system\nTools, to be called as <tool_call>\n' }})"
    R"({{ '{"name": <name>, "arguments": <object>}\n</tool_call>:' }})"
    R"({% for tool in tools %}{{ '\n' + (tool | tojson) }}{% endfor %}{{ '<|im_end|>\n' }}{% endif %})"
    R"({% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content }})"
    R"({% for call in message.tool_calls | default([]) %})"
    R"({{ '\n<tool_call>\n{"name": "' + call.function.name + '", "arguments": ' }})"
    R"({{ (call.function.arguments | tojson) + '}\n</tool_call>' }}{% endfor %})"
    R"({{ '<|im_end|>\n' }}{% endfor %})"
    R"({% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %})";

}  // namespace

Result<std::filesystem::path> builtin_model() {
  const std::filesystem::path path =
      user_cache_folder() / "tiny-random-2.gguf";  // the number: of its recipe
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) return path;
  RandomModelOptions options;
  options.name = "tiny-random";
  options.context = 8192;
  options.dtype = DType::kQ8_0;
  options.chat_template = kToolTemplate;
  if (auto written = write_random_model(path, options); !written) return std::move(written).error();
  return path;
}

}  // namespace aictl::inference

namespace aictl {

void add_aictl_runtime(Plugins& plugins) {
  plugins.runtimes.add(
      "aictl", "this program's own engine, in this process",
      [](const Plugins& all) { return std::make_unique<inference::OwnRuntime>(all); });
}

}  // namespace aictl
