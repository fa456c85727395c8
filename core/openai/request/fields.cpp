#include "core/openai/request/fields.hpp"

#include <vector>

#include <fmt/format.h>

#include "core/base/nearest.hpp"
#include "core/openai/request/reader.hpp"

namespace aictl::openai {
namespace {

constexpr unsigned kGenerate = kChat | kCompletions;
constexpr unsigned kTemplated = kChat | kTokenize | kApplyTemplate;
constexpr unsigned kAll = kGenerate | kEmbeddings | kTokenize | kDetokenize | kApplyTemplate;
constexpr Treatment kHandled = Treatment::kHandled;
constexpr Treatment kAccepted = Treatment::kAccepted;
constexpr Treatment kRefused = Treatment::kRefused;
constexpr std::string_view kConstrained =
    "output cannot be constrained; ask for its form in the prompt";
constexpr std::string_view kNoTemplate = "a completion's prompt goes through no template";
constexpr std::string_view kNoTools = "a completion calls no tools; ask /v1/chat/completions";

constexpr FieldRow kRows[] = {
    // What to generate from.
    {"model", kAll, kHandled},
    {"messages", kTemplated, kHandled},
    {"prompt", kCompletions | kTokenize, kHandled},
    {"input", kEmbeddings, kHandled},
    {"content", kTokenize, kHandled},
    {"tokens", kDetokenize, kHandled},
    {"tools", kTemplated, kHandled},
    {"tool_choice", kTemplated, kHandled},
    {"parallel_tool_calls", kChat, kHandled},
    {"parallel_tool_calls", kCompletions, kAccepted},  // there are none to bound
    {"functions", kTemplated, kHandled},
    {"function_call", kTemplated, kHandled},
    {"add_generation_prompt", kTemplated, kHandled},
    {"continue_final_message", kTemplated, kHandled},
    {"chat_template_kwargs", kTemplated, kHandled},
    {"reasoning_effort", kTemplated, kHandled},
    {"messages", kCompletions, kRefused, "[]",
     "a completion continues its prompt; ask /v1/chat/completions"},
    {"tools", kCompletions, kRefused, "[]", kNoTools},
    {"tool_choice", kCompletions, kRefused, "\"none\"", kNoTools},
    {"functions", kCompletions, kRefused, "[]", kNoTools},
    {"function_call", kCompletions, kRefused, "\"none\"", kNoTools},
    {"echo", kCompletions, kHandled},
    {"echo", kChat, kRefused, "false", "the last message is not repeated in the answer"},
    {"suffix", kCompletions, kRefused, "\"\"", "filling in the middle is not supported"},
    {"chat_template", kTemplated, kRefused, "\"\"",
     "the model's own template is used; chat_template_kwargs sets its variables"},
    {"chat_template", kCompletions, kRefused, "\"\"", kNoTemplate},
    {"chat_template_kwargs", kCompletions, kRefused, "{}", kNoTemplate},
    {"add_generation_prompt", kCompletions, kRefused, "false", kNoTemplate},
    {"continue_final_message", kCompletions, kRefused, "false", kNoTemplate},
    {"reasoning_effort", kCompletions, kRefused, "", kNoTemplate},
    {"truncate_prompt_tokens", kGenerate | kEmbeddings, kHandled},
    // How much, and how it is sent.
    {"stream", kGenerate, kHandled},
    {"stream_options", kGenerate, kHandled},
    {"max_completion_tokens", kGenerate, kHandled},
    {"max_tokens", kGenerate, kHandled},
    {"min_tokens", kGenerate, kHandled},
    {"n", kGenerate, kHandled},
    {"best_of", kCompletions, kHandled},
    {"stop", kGenerate, kHandled},
    {"stop_token_ids", kGenerate, kHandled},
    {"include_stop_str_in_output", kGenerate, kHandled},
    {"ignore_eos", kGenerate, kHandled},
    {"skip_special_tokens", kGenerate, kHandled},
    {"return_token_ids", kGenerate, kHandled},
    {"priority", kGenerate, kHandled},
    {"logprobs", kGenerate, kHandled},
    {"top_logprobs", kChat, kHandled},
    {"top_logprobs", kCompletions, kRefused, "0", "logprobs is the number of them here"},
    {"encoding_format", kEmbeddings, kHandled},
    {"dimensions", kEmbeddings, kHandled},
    {"add_special_tokens", kCompletions | kTokenize, kHandled},
    {"return_token_strs", kTokenize, kHandled},
    {"add_special", kTokenize, kHandled},
    {"parse_special", kTokenize, kHandled},
    {"with_pieces", kTokenize, kHandled},
    // How a token is chosen.
    {"temperature", kGenerate, kHandled},
    {"top_p", kGenerate, kHandled},
    {"top_k", kGenerate, kHandled},
    {"min_p", kGenerate, kHandled},
    {"typical_p", kGenerate, kHandled},
    {"top_n_sigma", kGenerate, kHandled},
    {"presence_penalty", kGenerate, kHandled},
    {"frequency_penalty", kGenerate, kHandled},
    {"repetition_penalty", kGenerate, kHandled},
    {"repeat_penalty", kGenerate, kHandled},
    {"repeat_last_n", kGenerate, kHandled},
    {"dry_multiplier", kGenerate, kHandled},
    {"dry_base", kGenerate, kHandled},
    {"dry_allowed_length", kGenerate, kHandled},
    {"dry_penalty_last_n", kGenerate, kHandled},
    {"dry_sequence_breakers", kGenerate, kHandled},
    {"xtc_probability", kGenerate, kHandled},
    {"xtc_threshold", kGenerate, kHandled},
    {"mirostat", kGenerate, kHandled},
    {"mirostat_tau", kGenerate, kHandled},
    {"mirostat_eta", kGenerate, kHandled},
    {"dynatemp_range", kGenerate, kHandled},
    {"dynatemp_exponent", kGenerate, kHandled},
    {"samplers", kGenerate, kHandled},
    {"logit_bias", kGenerate, kHandled},
    {"bad_words", kGenerate, kHandled},
    {"seed", kGenerate, kHandled},
    // Constraints on the text.
    {"response_format", kGenerate, kHandled},
    {"grammar", kGenerate, kRefused, "\"\"", kConstrained},
    {"json_schema", kGenerate, kRefused, "", kConstrained},
    {"structured_outputs", kGenerate, kRefused, "", kConstrained},
    {"guided_json", kGenerate, kRefused, "", kConstrained},
    {"guided_regex", kGenerate, kRefused, "", kConstrained},
    {"guided_choice", kGenerate, kRefused, "", kConstrained},
    {"guided_grammar", kGenerate, kRefused, "", kConstrained},
    {"reasoning_format", kChat, kHandled},
    {"reasoning_format", kCompletions, kRefused, "\"none\"", "a completion is text as it comes"},
    {"thinking_budget_tokens", kGenerate, kRefused, "-1",
     "thinking is not bounded apart; use reasoning_effort or max_completion_tokens"},
    // Bookkeeping.
    {"store", kGenerate, kRefused, "false", "answers are not stored"},
    {"metadata", kChat, kHandled},
    {"metadata", kCompletions, kRefused, "{}", "a completion does not give it back"},
    {"user", kAll, kAccepted},
    {"safety_identifier", kGenerate, kAccepted},
    {"prompt_cache_key", kGenerate, kAccepted},
    {"service_tier", kGenerate, kAccepted},
    {"verbosity", kGenerate, kAccepted},
    {"prediction", kGenerate, kAccepted},
    {"modalities", kGenerate, kHandled},
    {"audio", kGenerate, kAccepted},
    {"web_search_options", kGenerate, kAccepted},
    // Extensions that other local servers have and this one has not.
    {"prompt_logprobs", kGenerate, kRefused, "", "only generated tokens have log-probabilities"},
    {"cache_salt", kGenerate, kHandled},
    {"cache_prompt", kGenerate, kHandled},
    {"id_slot", kGenerate, kRefused, "-1", "there are no slots to choose from"},
    {"n_keep", kGenerate, kRefused, "0", "prompts are never shifted; use truncate_prompt_tokens"},
    {"return_progress", kGenerate, kRefused, "false", "progress is not reported"},
    {"timings_per_token", kGenerate, kRefused, "false", "timings come once, with the last chunk"},
    {"n_probs", kGenerate, kRefused, "0", "use logprobs"},
    {"post_sampling_probs", kGenerate, kRefused, "false", "logprobs are those before sampling"},
    {"lora", kGenerate, kRefused, "[]", "adapters are not supported"},
    {"keep_alive", kGenerate | kEmbeddings, kRefused, "-1", "models stay loaded while it serves"},
    {"ttl", kGenerate | kEmbeddings, kRefused, "-1", "models stay loaded while it serves"},
};

const FieldRow* find_row(std::string_view name, Endpoint endpoint) {
  for (const FieldRow& row : kRows)
    if (row.name == name && (row.endpoints & endpoint)) return &row;
  return nullptr;
}

ApiError unknown_field(std::string_view name, Endpoint endpoint) {
  std::vector<std::string_view> names;
  for (const FieldRow& row : kRows)
    if (row.endpoints & endpoint) names.push_back(row.name);
  std::string message = fmt::format("unknown field '{}'", name.substr(0, 64));
  const std::string hint = did_you_mean(name.substr(0, 64), names);
  if (!hint.empty()) message.append("; ").append(hint);
  return {400, "invalid_request_error", std::string(name.substr(0, 64)), "unknown_parameter",
          std::move(message)};
}

}  // namespace

std::span<const FieldRow> field_rows() { return kRows; }

const Json* present(const Json& object, std::string_view name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::optional<ApiError> check_fields(const Json& body, Endpoint endpoint,
                                     const ParseOptions& options) {
  if (!body.is_object())
    return invalid_value("", fmt::format("the body is a JSON {}, not an object", body.type_name()));
  for (const auto& [name, value] : body.items()) {
    const FieldRow* row = find_row(name, endpoint);
    if (row == nullptr) {
      if (options.strict) return unknown_field(name, endpoint);
      continue;
    }
    if (row->treatment != Treatment::kRefused || value.is_null()) continue;
    if (!row->neutral.empty() && dump_json(value) == row->neutral) continue;
    return unsupported_value(
        name, fmt::format("{} {} is not supported: {}", name, shown(value), row->why));
  }
  return std::nullopt;
}

}  // namespace aictl::openai
