#include "plugins/services/inference/local/loaded_model.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/memory.hpp"

namespace aictl::inference {
namespace {

// The format most chat models without a template of their own were trained on; used only where its
// markers are tokens.
constexpr std::string_view kChatMl =
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content "
    "}}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

Result<std::optional<jinja::Template>> chat_template_of(const Model& model,
                                                        const Tokenizer& tokenizer) {
  std::string_view source;
  const auto& templates = model.chat_templates();
  if (!templates.empty())
    source = templates.front().second;
  else if (tokenizer.vocab().find("<|im_start|>") != Vocab::kNoToken)
    source = kChatMl;
  else
    return std::optional<jinja::Template>();
  auto parsed = jinja::Template::parse(source);
  if (!parsed) return std::move(parsed).error().within("chat template");
  return std::optional(std::move(*parsed));
}

}  // namespace

Result<TextModel> open_text_model(const std::filesystem::path& path) {
  auto model = Model::open(path);
  if (!model) return std::move(model).error();
  auto tokenizer = Tokenizer::make(model->vocab());
  if (!tokenizer) return std::move(tokenizer).error().within(path.string());
  auto chat_template = chat_template_of(*model, *tokenizer);
  if (!chat_template) return std::move(chat_template).error().within(path.string());
  return TextModel{std::move(*model), std::move(*tokenizer), std::move(*chat_template)};
}

std::string default_id(const TextModel& model, const std::filesystem::path& path) {
  std::string id = model.model.spec().name;
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '-' || c == '_';
  };
  std::ranges::replace(id, ' ', '-');
  if (id.empty() || id.size() > 96 || !std::ranges::all_of(id, plain)) id = path.stem().string();
  return id;
}

Result<RunningModel> plan_model(const TextModel& model, const EngineSettings& settings,
                                const Plugins& plugins) {
  auto row = plugins.backends.find(settings.backend);
  if (!row) return std::move(row).error();
  BackendOptions options;
  options.threads = settings.threads;
  auto backend = (*row)->make(options);
  if (!backend) return std::move(backend).error();
  auto plan = plan_engine(model.model.spec(), model.model.weight_bytes(), **backend, settings,
                          available_memory());
  if (!plan) return std::move(plan).error();
  RunningModel running;
  running.backend = std::move(*backend);
  running.plan = *plan;
  return running;
}

Result<void> start_model(const TextModel& model, RunningModel& running) {
  const ModelSpec& spec = model.model.spec();
  auto runner = running.backend->load(spec, model.model.tensors(), running.plan.runner);
  if (!runner) return std::move(runner).error().within(model.model.file().place());
  EngineOptions options = engine_options(running.plan);
  const Vocab& vocab = model.tokenizer.vocab();
  options.vocab_tokens = std::min(vocab.size(), spec.vocab);
  options.end_tokens = vocab.end_ids;
  auto engine = Engine::start(std::move(options), spec, std::move(*runner));
  if (!engine) return std::move(engine).error();
  running.engine = std::move(*engine);
  return {};
}

}  // namespace aictl::inference
