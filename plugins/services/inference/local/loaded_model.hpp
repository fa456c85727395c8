// A model brought to life: its text side (header, tokenizer, template), and its engine on a
// backend.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/plugin/plugins.hpp"
#include "core/template/template.hpp"
#include "plugins/services/inference/engine.hpp"
#include "plugins/services/inference/load/model.hpp"
#include "plugins/services/inference/local/disk_cache.hpp"
#include "plugins/services/inference/local/plan.hpp"
#include "plugins/services/inference/text/reply/reply_format.hpp"
#include "plugins/services/inference/text/tokenizer.hpp"

namespace aictl::inference {

/// Tokenizer and chat template of a model file.
struct TextSide {
  Tokenizer tokenizer;
  std::optional<jinja::Template> chat_template;  // nullopt: it cannot chat
  ReplyFormat reply;                             // what the template says of its replies

  const jinja::Template* template_or_null() const {
    return chat_template ? &*chat_template : nullptr;
  }
};

/// Reads no weights, and takes any architecture. Errors: as Gguf::open and Tokenizer::make, naming
/// the file; a chat template that does not parse.
Result<TextSide> open_text_side(const std::filesystem::path& path);

/// What can be run: the file stays mapped.
struct TextModel {
  Model model;
  TextSide text;
};

/// Errors: as Model::open and open_text_side.
Result<TextModel> open_text_model(const std::filesystem::path& path);

/// A name to ask for: general.name made short, or the file's name without its ending.
std::string default_id(const Model& model, const std::filesystem::path& path);

/// An engine and what it stands on; destroyed in the right order. Borrows the TextModel's mapped
/// weights.
struct RunningModel {
  std::unique_ptr<Backend> backend;
  EnginePlan plan;
  std::unique_ptr<Engine> engine;
};

/// Makes the backend and the plan; nothing is loaded yet. `reserved`: memory planned for others.
/// Errors: no such backend; as plan_engine.
Result<RunningModel> plan_model(const Model& model, const EngineSettings& settings,
                                const Plugins& plugins, uint64_t reserved);

/// Loads the weights and starts the engine, with `disk` on KV blocks that outlive it. Errors: as
/// Backend::load, Engine::start and open_disk_store.
Result<void> start_model(const Model& model, const Vocab& vocab, RunningModel& running,
                         const std::optional<DiskCacheOptions>& disk = std::nullopt);

}  // namespace aictl::inference
