#include "core/openai/response/completions.hpp"

namespace aictl::openai {

Json completion_json(const CompletionAnswer& answer) {
  Json choices = Json::array();
  for (const CompletionChoice& choice : answer.choices) {
    Json entry{{"index", choices.size()},
               {"text", choice.text},
               {"logprobs", choice.logprobs},
               {"finish_reason", choice.finish_reason}};
    if (!choice.token_ids.is_null()) entry["token_ids"] = choice.token_ids;
    if (!choice.prompt_token_ids.is_null()) entry["prompt_token_ids"] = choice.prompt_token_ids;
    choices.push_back(std::move(entry));
  }
  return {{"id", answer.head.id},
          {"object", "text_completion"},
          {"created", answer.head.created},
          {"model", answer.head.model},
          {"system_fingerprint", answer.head.fingerprint},
          {"choices", std::move(choices)},
          {"usage", usage_json(answer.usage)},
          {"timings", timings_json(answer.timings)}};
}

std::string CompletionChunks::text(int choice, std::string_view text,
                                   const ChunkExtras& extras) const {
  return frame_.choice(choice, R"("text":)" + json_quoted(text), "", extras);
}

std::string CompletionChunks::finish(int choice, std::string_view reason,
                                     const ChunkExtras& extras) const {
  return frame_.choice(choice, R"("text":"")", reason, extras);
}

}  // namespace aictl::openai
