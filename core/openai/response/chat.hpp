// Answers to chat requests: whole ones, and the chunks of a stream.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/openai/response/answer.hpp"

namespace aictl::openai {

struct ChatChoice {
  std::string content;
  std::string finish_reason;  // stop, length
  Json logprobs;              // see logprobs.hpp; null when not asked for
  Json token_ids;             // null when not asked for
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

/// The `chat.completion.chunk` objects, in the order of the contract: role for each choice, text,
/// finish for each choice, usage if asked for; then kDone.
class ChatChunks {
 public:
  ChatChunks(const AnswerHead& head, bool usage) : frame_("chat.completion.chunk", head, usage) {}

  std::string role(int choice, const ChunkExtras& extras = {}) const;
  std::string content(int choice, std::string_view text, const ChunkExtras& extras = {}) const;
  std::string finish(int choice, std::string_view reason, const ChunkExtras& extras = {}) const;
  std::string usage(const Usage& usage) const { return frame_.usage(usage); }

 private:
  ChunkFrame frame_;
};

}  // namespace aictl::openai
