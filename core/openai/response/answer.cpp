#include "core/openai/response/answer.hpp"

#include <fmt/format.h>

namespace aictl::openai {
namespace {

double per_second(int64_t tokens, double ms) {
  return ms > 0 ? static_cast<double>(tokens) * 1000 / ms : 0;
}

double per_token(int64_t tokens, double ms) {
  return tokens > 0 ? ms / static_cast<double>(tokens) : 0;
}

}  // namespace

Json usage_json(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}},
          {"completion_tokens_details", {{"reasoning_tokens", usage.reasoning_tokens}}}};
}

Json timings_json(const Timings& t) {
  return {{"cache_n", t.cached_tokens},
          {"prompt_n", t.prompt_tokens},
          {"prompt_ms", t.prompt_ms},
          {"prompt_per_token_ms", per_token(t.prompt_tokens, t.prompt_ms)},
          {"prompt_per_second", per_second(t.prompt_tokens, t.prompt_ms)},
          {"predicted_n", t.generated_tokens},
          {"predicted_ms", t.generated_ms},
          {"predicted_per_token_ms", per_token(t.generated_tokens, t.generated_ms)},
          {"predicted_per_second", per_second(t.generated_tokens, t.generated_ms)}};
}

std::string make_id(std::string_view prefix, uint64_t high, uint64_t low) {
  constexpr std::string_view kLetters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string id(prefix);
  for (uint64_t part : {high, low})
    for (int i = 0; i < 12; ++i, part /= kLetters.size()) id += kLetters[part % kLetters.size()];
  return id;
}

std::string system_fingerprint(std::initializer_list<std::string_view> parts) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  const auto mix = [&hash](unsigned char byte) { hash = (hash ^ byte) * 0x100000001b3; };
  for (const std::string_view part : parts) {
    for (const char c : part) mix(static_cast<unsigned char>(c));
    mix(0xFF);  // no byte of UTF-8: parts do not run into each other
  }
  return fmt::format("fp_{:010x}", hash >> 24);
}

std::string json_quoted(std::string_view text) { return dump_json(Json(text)); }

ChunkFrame::ChunkFrame(std::string_view object, const AnswerHead& head, bool usage)
    : head_(
          fmt::format(R"({{"id":{},"object":"{}","created":{},"model":{},"system_fingerprint":{})",
                      json_quoted(head.id), object, head.created, json_quoted(head.model),
                      json_quoted(head.fingerprint))),
      usage_(usage) {}

std::string ChunkFrame::choice(int index, std::string_view payload, std::string_view finish_reason,
                               const ChunkExtras& extras) const {
  std::string chunk = head_;
  fmt::format_to(std::back_inserter(chunk), R"(,"choices":[{{"index":{},{},"logprobs":{})", index,
                 payload, extras.logprobs.empty() ? "null" : extras.logprobs);
  if (finish_reason.empty())
    chunk += R"(,"finish_reason":null)";
  else
    chunk.append(R"(,"finish_reason":")").append(finish_reason).append("\"");
  if (!extras.token_ids.empty()) chunk.append(R"(,"token_ids":)").append(extras.token_ids);
  chunk += "}]";
  if (!extras.prompt_token_ids.empty())
    chunk.append(R"(,"prompt_token_ids":)").append(extras.prompt_token_ids);
  if (!extras.timings.empty()) chunk.append(R"(,"timings":)").append(extras.timings);
  if (usage_) chunk += R"(,"usage":null)";
  chunk += '}';
  return chunk;
}

std::string ChunkFrame::usage(const Usage& usage) const {
  return head_ + R"(,"choices":[],"usage":)" + dump_json(usage_json(usage)) + "}";
}

}  // namespace aictl::openai
