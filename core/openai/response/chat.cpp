#include "core/openai/response/chat.hpp"

#include <fmt/format.h>

namespace aictl::openai {
namespace {

Json message_json(const ChatChoice& choice) {
  Json message{{"role", "assistant"}, {"content", choice.content}, {"refusal", nullptr}};
  if (choice.content.empty() && !choice.tool_calls.empty()) message["content"] = nullptr;
  if (!choice.reasoning.empty()) {
    message["reasoning_content"] = choice.reasoning;
    message["reasoning"] = choice.reasoning;
  }
  for (const ToolCall& call : choice.tool_calls)
    message["tool_calls"].push_back(
        {{"id", call.id},
         {"type", "function"},
         {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  return message;
}

}  // namespace

Json chat_json(const ChatAnswer& answer) {
  Json choices = Json::array();
  for (const ChatChoice& choice : answer.choices) {
    Json entry{{"index", choices.size()},
               {"message", message_json(choice)},
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

std::string ChatChunks::reasoning(int choice, std::string_view text,
                                  const ChunkExtras& extras) const {
  const std::string quoted = json_quoted(text);
  return frame_.choice(
      choice, fmt::format(R"("delta":{{"reasoning_content":{0},"reasoning":{0}}})", quoted), "",
      extras);
}

std::string ChatChunks::call(int choice, int call, std::string_view id, std::string_view name,
                             const ChunkExtras& extras) const {
  return frame_.choice(
      choice,
      fmt::format(R"("delta":{{"tool_calls":[{{"index":{},"id":{},"type":"function",)"
                  R"("function":{{"name":{},"arguments":""}}}}]}})",
                  call, json_quoted(id), json_quoted(name)),
      "", extras);
}

std::string ChatChunks::arguments(int choice, int call, std::string_view text,
                                  const ChunkExtras& extras) const {
  return frame_.choice(
      choice,
      fmt::format(R"("delta":{{"tool_calls":[{{"index":{},"function":{{"arguments":{}}}}}]}})",
                  call, json_quoted(text)),
      "", extras);
}

std::string ChatChunks::finish(int choice, std::string_view reason,
                               const ChunkExtras& extras) const {
  return frame_.choice(choice, R"("delta":{})", reason, extras);
}

}  // namespace aictl::openai
