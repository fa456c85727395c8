#include "plugins/services/inference/local/loaded_model.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/memory.hpp"
#include "plugins/services/inference/spec/vocab_source.hpp"

namespace aictl::inference {
namespace {

// The format most chat models without a template of their own were trained on; used only where its
// markers are tokens.
constexpr std::string_view kChatMl =
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content "
    "}}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

using Templates = std::vector<std::pair<std::string, std::string>>;

// Empty: the model cannot chat.
std::string_view template_source(const Templates& templates, const Tokenizer& tokenizer) {
  if (!templates.empty()) return templates.front().second;
  return tokenizer.vocab().find("<|im_start|>") != Vocab::kNoToken ? kChatMl : std::string_view();
}

Result<std::optional<jinja::Template>> parse_template(std::string_view source) {
  if (source.empty()) return std::optional<jinja::Template>();
  auto parsed = jinja::Template::parse(source);
  if (!parsed) return std::move(parsed).error().within("chat template");
  return std::optional(std::move(*parsed));
}

Result<TextSide> text_side(const VocabSource& vocab, const Templates& templates) {
  auto tokenizer = Tokenizer::make(vocab);
  if (!tokenizer) return std::move(tokenizer).error();
  const std::string_view source = template_source(templates, *tokenizer);
  auto chat_template = parse_template(source);
  if (!chat_template) return std::move(chat_template).error();
  return TextSide{std::move(*tokenizer), std::move(*chat_template), reply_format_of(source)};
}

}  // namespace

Result<TextSide> open_text_side(const std::filesystem::path& path) {
  auto file = Gguf::open(path);
  if (!file) return std::move(file).error();
  auto vocab = read_vocab_source(*file);
  if (!vocab) return std::move(vocab).error();
  auto templates = read_templates(*file);
  if (!templates) return std::move(templates).error();
  auto text = text_side(*vocab, *templates);
  if (!text) return std::move(text).error().within(path.string());
  return text;
}

Result<TextModel> open_text_model(const std::filesystem::path& path) {
  auto model = Model::open(path);
  if (!model) return std::move(model).error();
  auto text = text_side(model->vocab(), model->chat_templates());
  if (!text) return std::move(text).error().within(path.string());
  return TextModel{std::move(*model), std::move(*text)};
}

std::string default_id(const Model& model, const std::filesystem::path& path) {
  std::string id = model.spec().name;
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '-' || c == '_';
  };
  std::ranges::replace(id, ' ', '-');
  if (id.empty() || id.size() > 96 || !std::ranges::all_of(id, plain)) id = path.stem().string();
  return id;
}

Result<RunningModel> plan_model(const Model& model, const EngineSettings& settings,
                                const Plugins& plugins, uint64_t reserved) {
  auto row = plugins.backends.find(settings.backend);
  if (!row) return std::move(row).error();
  BackendOptions options;
  options.threads = settings.threads;
  auto backend = (*row)->make(options);
  if (!backend) return std::move(backend).error();
  const uint64_t available = available_memory();
  const uint64_t unreserved = available - std::min(available, reserved);
  auto plan = plan_engine(model.spec(), model.weight_bytes(), **backend, settings, unreserved);
  if (!plan) return std::move(plan).error();
  RunningModel running;
  running.backend = std::move(*backend);
  running.plan = *plan;
  return running;
}

Result<void> start_model(const Model& model, const Vocab& vocab, RunningModel& running,
                         const std::optional<DiskCacheOptions>& disk) {
  const ModelSpec& spec = model.spec();
  auto runner = running.backend->load(spec, model.tensors(), running.plan.runner);
  if (!runner) return std::move(runner).error().within(model.file().place());
  EngineOptions options = engine_options(running.plan);
  options.vocab_tokens = std::min(vocab.size(), spec.vocab);
  options.end_tokens = vocab.end_ids;
  std::unique_ptr<DiskStore> store;
  if (disk) {
    auto opened = open_disk_store(*disk, model, **runner, running.backend->kv_block_bytes(spec));
    if (!opened) return std::move(opened).error();
    store = std::move(*opened);
  }
  auto engine = Engine::start(std::move(options), spec, std::move(*runner), std::move(store));
  if (!engine) return std::move(engine).error();
  running.engine = std::move(*engine);
  return {};
}

}  // namespace aictl::inference
