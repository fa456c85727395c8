#include "core/openai/request/text.hpp"

#include <limits>

#include <fmt/format.h>

namespace aictl::openai {
namespace {

constexpr size_t kMaxInputs = 2048;
constexpr size_t kMaxIds = size_t{1} << 22;
constexpr int64_t kMaxInt = std::numeric_limits<int32_t>::max();

std::optional<std::vector<int32_t>> ids_of(const Json& array) {
  if (array.size() > kMaxIds) return std::nullopt;
  std::vector<int32_t> ids;
  ids.reserve(array.size());
  for (const Json& entry : array) {
    const std::optional<int32_t> id = token_id(entry);
    if (!id) return std::nullopt;
    ids.push_back(*id);
  }
  return ids;
}

// string, string[], int[] or int[][]: an array whose first entry is a number is one list of ids.
void read_inputs(Reader& reader, std::string_view name, std::vector<TextOrIds>& out) {
  const Json* value = reader.any(name);
  if (reader.failed()) return;
  if (value == nullptr) return reader.fail(missing(name));
  if (value->is_string()) return out.emplace_back(value->get<std::string>()), void();
  if (!value->is_array() || value->empty())
    return reader.refuse(name, fmt::format("{} is {}, but must be a string, token ids, or a "
                                           "non-empty array of either",
                                           name, shown(*value)));
  if (value->front().is_number()) {
    auto ids = ids_of(*value);
    if (!ids) return reader.refuse(name, fmt::format("{} holds what is not a token id", name));
    return out.emplace_back(std::move(*ids)), void();
  }
  if (value->size() > kMaxInputs)
    return reader.refuse(name, fmt::format("{} has {} entries, but at most {} are taken", name,
                                           value->size(), kMaxInputs));
  for (size_t i = 0; i < value->size(); ++i) {
    const Json& entry = (*value)[i];
    if (entry.is_string()) {
      out.emplace_back(entry.get<std::string>());
      continue;
    }
    auto ids = entry.is_array() ? ids_of(entry) : std::nullopt;
    if (!ids || ids->empty())
      return reader.refuse(name, fmt::format("{}[{}] is {}, but must be a string or an array of "
                                             "token ids",
                                             name, i, shown(entry)));
    out.emplace_back(std::move(*ids));
  }
}

void read_best_of(Reader& reader, int n) {
  std::optional<int> best_of;
  reader.integer("best_of", best_of, 1, kMaxChoices);
  if (best_of && *best_of != n)
    reader.fail(unsupported_value(
        "best_of", fmt::format("best_of {} is not supported: it must equal n, {}", *best_of, n)));
}

}  // namespace

ApiResult<CompletionRequest> parse_completion(const Json& body, const ParseOptions& options) {
  if (auto error = check_fields(body, kCompletions, options)) return std::move(*error);
  if (present(body, "model") == nullptr) return missing("model");
  CompletionRequest request;
  Reader reader(body);
  read_generation(reader, request.generation);
  read_inputs(reader, "prompt", request.prompts);
  reader.boolean("echo", request.echo);
  reader.boolean("add_special_tokens", request.add_special_tokens);
  reader.integer("logprobs", request.logprobs, 0, 5);
  read_best_of(reader, request.generation.n);
  if (request.echo && request.logprobs >= 0)
    reader.fail(unsupported_value("echo",
                                  "echo with logprobs is not supported: only generated tokens have "
                                  "log-probabilities"));
  if (auto error = reader.take_error()) return std::move(*error);
  if (request.prompts.size() * static_cast<size_t>(request.generation.n) > kMaxInputs)
    return invalid_value("prompt",
                         fmt::format("{} prompts times n {} make more than {} choices",
                                     request.prompts.size(), request.generation.n, kMaxInputs));
  request.generation.sampling.logprobs = request.logprobs;
  return request;
}

ApiResult<EmbeddingsRequest> parse_embeddings(const Json& body, const ParseOptions& options) {
  if (auto error = check_fields(body, kEmbeddings, options)) return std::move(*error);
  if (present(body, "model") == nullptr) return missing("model");
  EmbeddingsRequest request;
  std::string format = "float";
  Reader reader(body);
  reader.text("model", request.model);
  read_inputs(reader, "input", request.inputs);
  reader.text("encoding_format", format);
  reader.integer("dimensions", request.dimensions, 1, kMaxInt);
  reader.integer("truncate_prompt_tokens", request.keep_prompt_tokens, -1, kMaxInt);
  if (request.keep_prompt_tokens == 0)
    reader.refuse("truncate_prompt_tokens", "truncate_prompt_tokens 0 leaves no prompt");
  if (format != "float" && format != "base64")
    reader.refuse("encoding_format", fmt::format("encoding_format {} is not \"float\" or "
                                                 "\"base64\"",
                                                 shown(format)));
  if (auto error = reader.take_error()) return std::move(*error);
  request.base64 = format == "base64";
  return request;
}

ApiResult<TokenizeRequest> parse_tokenize(const Json& body, const ParseOptions& options) {
  if (auto error = check_fields(body, kTokenize, options)) return std::move(*error);
  TokenizeRequest request;
  Reader reader(body);
  reader.text("model", request.model);
  const bool content = present(body, "content") != nullptr;
  const bool prompt = present(body, "prompt") != nullptr;
  const bool messages = present(body, "messages") != nullptr;
  if (content + prompt + messages > 1)
    return invalid_value(content ? "content" : "prompt",
                         "send one of prompt, messages and content, not several");
  request.content_form = content;
  if (content) {
    request.add_special = false;
    request.parse_special = true;
  }
  reader.text(content ? "content" : "prompt", request.text);
  // Read in either form: a field that the table lists is never dropped.
  reader.boolean("add_special_tokens", request.add_special);
  reader.boolean("add_special", request.add_special);
  reader.boolean("parse_special", request.parse_special);
  reader.boolean("return_token_strs", request.with_pieces);
  reader.boolean("with_pieces", request.with_pieces);
  if (messages) {
    request.conversation.emplace();
    // A template writes the special tokens itself.
    if (present(body, "add_special_tokens") == nullptr) request.add_special = false;
    read_conversation(reader, *request.conversation);
  } else if (!content && !prompt) {
    reader.fail(missing("prompt"));
  }
  if (auto error = reader.take_error()) return std::move(*error);
  return request;
}

ApiResult<DetokenizeRequest> parse_detokenize(const Json& body, const ParseOptions& options) {
  if (auto error = check_fields(body, kDetokenize, options)) return std::move(*error);
  DetokenizeRequest request;
  Reader reader(body);
  reader.text("model", request.model);
  if (present(body, "tokens") == nullptr) reader.fail(missing("tokens"));
  reader.ids("tokens", request.tokens, kMaxIds);
  if (auto error = reader.take_error()) return std::move(*error);
  return request;
}

ApiResult<ApplyTemplateRequest> parse_apply_template(const Json& body,
                                                     const ParseOptions& options) {
  if (auto error = check_fields(body, kApplyTemplate, options)) return std::move(*error);
  ApplyTemplateRequest request;
  Reader reader(body);
  reader.text("model", request.model);
  read_conversation(reader, request.conversation);
  if (auto error = reader.take_error()) return std::move(*error);
  return request;
}

}  // namespace aictl::openai
