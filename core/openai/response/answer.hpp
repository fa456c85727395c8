// What all answers share: ids, the head of an answer, usage, timings, and the frame of a streamed
// chunk.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/value/json.hpp"

namespace aictl::openai {

/// The same in every chunk of an answer.
struct AnswerHead {
  std::string id;           // "chatcmpl-...", "cmpl-..."
  int64_t created = 0;      // Unix seconds
  std::string model;        // as the client asked for it
  std::string fingerprint;  // "fp_..."
};

struct Usage {
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
  int64_t cached_tokens = 0;     // of the prompt tokens
  int64_t reasoning_tokens = 0;  // of the completion tokens
};

/// How long it took, as llama-server reports it.
struct Timings {
  int64_t prompt_tokens = 0, generated_tokens = 0;  // computed
  int64_t cached_tokens = 0;                        // of the prompts, and not computed
  double prompt_ms = 0, generated_ms = 0;
};

Json usage_json(const Usage& usage);
Json timings_json(const Timings& timings);

/// `prefix` and 24 letters and digits made of `random`'s 128 bits.
std::string make_id(std::string_view prefix, uint64_t high, uint64_t low);

/// "fp_" and ten hex digits that change when one of `parts` (program, model, settings) does.
std::string system_fingerprint(std::initializer_list<std::string_view> parts);

/// A string as JSON text with its quotes. Invalid UTF-8 becomes U+FFFD.
std::string json_quoted(std::string_view text);

/// What may stand beside a chunk's text. Texts are JSON; empty ones are left out.
struct ChunkExtras {
  std::string logprobs;          // null when empty
  std::string token_ids;         // ids this chunk was made of
  std::string prompt_token_ids;  // first chunk of a choice
  std::string timings;           // last chunk of the answer
};

/// Writes chunks: the part that is the same in each is made once.
class ChunkFrame {
 public:
  /// With `usage`, every chunk but the usage chunk itself carries `usage:null`.
  ChunkFrame(std::string_view object, const AnswerHead& head, bool usage);

  /// A chunk of one choice. `payload` is JSON members: `"delta":{...}` or `"text":"..."`.
  std::string choice(int index, std::string_view payload, std::string_view finish_reason,
                     const ChunkExtras& extras) const;
  /// The last chunk when usage was asked for: no choices.
  std::string usage(const Usage& usage) const;

 private:
  std::string head_;
  bool usage_;
};

/// Ends a stream.
inline constexpr std::string_view kDone = "[DONE]";

}  // namespace aictl::openai
