#include "core/openai/response/chat.hpp"

namespace aictl::openai {

Json chat_json(const ChatAnswer& answer) {
  Json choices = Json::array();
  for (const ChatChoice& choice : answer.choices) {
    Json entry{
        {"index", choices.size()},
        {"message", {{"role", "assistant"}, {"content", choice.content}, {"refusal", nullptr}}},
        {"logprobs", choice.logprobs},
        {"finish_reason", choice.finish_reason}};
    if (!choice.token_ids.is_null()) entry["token_ids"] = choice.token_ids;
    choices.push_back(std::move(entry));
  }
  Json out{{"id", answer.head.id},
           {"object", "chat.completion"},
           {"created", answer.head.created},
           {"model", answer.head.model},
           {"system_fingerprint", answer.head.fingerprint},
           {"choices", std::move(choices)},
           {"usage", usage_json(answer.usage)},
           {"timings", timings_json(answer.timings)}};
  if (!answer.metadata.is_null()) out["metadata"] = answer.metadata;
  if (!answer.prompt_token_ids.is_null()) out["prompt_token_ids"] = answer.prompt_token_ids;
  return out;
}

std::string ChatChunks::role(int choice, const ChunkExtras& extras) const {
  return frame_.choice(choice, R"("delta":{"role":"assistant","content":""})", "", extras);
}

std::string ChatChunks::content(int choice, std::string_view text,
                                const ChunkExtras& extras) const {
  return frame_.choice(choice, R"("delta":{"content":)" + json_quoted(text) + "}", "", extras);
}

std::string ChatChunks::finish(int choice, std::string_view reason,
                               const ChunkExtras& extras) const {
  return frame_.choice(choice, R"("delta":{})", reason, extras);
}

}  // namespace aictl::openai
