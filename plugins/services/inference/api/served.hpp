// The models a server answers with, by name, and what each of them needs to answer.
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "core/openai/errors.hpp"
#include "core/openai/response/models.hpp"
#include "core/template/template.hpp"
#include "plugins/services/inference/engine.hpp"
#include "plugins/services/inference/text/reply/reply_format.hpp"
#include "plugins/services/inference/text/tokenizer.hpp"

namespace aictl::inference {

/// What is pointed at outlives the server.
struct ServedModel {
  openai::ModelCard card;            // card.id is the name clients ask for
  std::vector<std::string> aliases;  // other names for it
  std::string digest;                // changes with the model's bytes
  Engine* engine = nullptr;
  const Tokenizer* tokenizer = nullptr;
  const jinja::Template* chat_template = nullptr;  // nullptr: it cannot chat
  ReplyFormat reply;                               // how it writes thinking and tool calls
  const std::atomic<bool>* stopping = nullptr;     // once true, what runs ends with an error
};

/// Filled before the server starts, then read by all threads.
class Served {
 public:
  void add(ServedModel model) { models_.push_back(std::move(model)); }

  /// By name or alias. Errors: model_not_found, with the nearest name.
  openai::ApiResult<const ServedModel*> find(std::string_view name) const;
  /// As find(), but an empty name means the first model.
  openai::ApiResult<const ServedModel*> find_or_first(std::string_view name) const;

  const std::vector<ServedModel>& all() const { return models_; }

 private:
  std::vector<ServedModel> models_;
};

}  // namespace aictl::inference
