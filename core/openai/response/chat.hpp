// Answers to chat requests: whole ones, and the chunks of a stream.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/openai/response/answer.hpp"

namespace aictl::openai {

struct ToolCall {
  std::string id, name;
  std::string arguments;  // JSON text, cut off where the answer was
};

struct ChatChoice {
  std::string content;        // null on the wire when empty and tools are called
  std::string finish_reason;  // stop, length, tool_calls
  Json logprobs;              // see logprobs.hpp; null when not asked for
  Json token_ids;             // null when not asked for
  std::string reasoning = {};  // thinking; left out when empty
  std::vector<ToolCall> tool_calls = {};
};

struct ChatAnswer {
  AnswerHead head;
  std::vector<ChatChoice> choices;  // by index
  Usage usage;
  Timings timings;
  Json metadata;          // given back; null: left out
  Json prompt_token_ids;  // null: left out
};

/// The `chat.completion` object.
Json chat_json(const ChatAnswer& answer);

/// The `chat.completion.chunk` objects, in the order of the contract: role for each choice,
/// thinking, text, tool calls, finish for each choice, usage if asked for; then kDone.
class ChatChunks {
 public:
  ChatChunks(const AnswerHead& head, bool usage) : frame_("chat.completion.chunk", head, usage) {}

  std::string role(int choice, const ChunkExtras& extras = {}) const;
  std::string content(int choice, std::string_view text, const ChunkExtras& extras = {}) const;
  /// Under both names that clients read.
  std::string reasoning(int choice, std::string_view text, const ChunkExtras& extras = {}) const;
  /// The `call`th tool call begins, with its id and name; then come pieces of its arguments.
  std::string call(int choice, int call, std::string_view id, std::string_view name,
                   const ChunkExtras& extras = {}) const;
  std::string arguments(int choice, int call, std::string_view text,
                        const ChunkExtras& extras = {}) const;
  std::string finish(int choice, std::string_view reason, const ChunkExtras& extras = {}) const;
  std::string usage(const Usage& usage) const { return frame_.usage(usage); }

 private:
  ChunkFrame frame_;
};

}  // namespace aictl::openai
