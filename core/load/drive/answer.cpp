#include "core/load/drive/answer.hpp"

#include <fmt/format.h>

#include "core/value/json.hpp"

namespace aictl::load {
namespace {

constexpr size_t kMostRefusal = 4096;  // of an error's body is read

const Json* below(const Json& tree, const char* key) {
  if (!tree.is_object()) return nullptr;
  const auto found = tree.find(key);
  return found == tree.end() || found->is_null() ? nullptr : &*found;
}

bool has_text(const Json& tree, const char* key) {
  const Json* text = below(tree, key);
  return text && text->is_string() && !text->get_ref<const std::string&>().empty();
}

int64_t count_of(const Json& tree, const char* key, int64_t otherwise) {
  const Json* value = below(tree, key);
  return value && value->is_number_integer() && *value >= 0 ? value->get<int64_t>() : otherwise;
}

// The message of OpenAI's error object, or of what looks like one; else the text itself.
std::string message_of(std::string_view body) {
  if (auto tree = parse_json(body))
    for (const Json* at : {below(*tree, "error"), static_cast<const Json*>(&*tree)}) {
      if (!at) continue;
      if (at->is_string()) return at->get<std::string>();
      for (const char* key : {"message", "detail", "error"})
        if (has_text(*at, key)) return (*at)[key].get<std::string>();
    }
  return std::string(body.substr(0, 200));
}

}  // namespace

std::string_view failure_name(Failure failure) {
  switch (failure) {
    case Failure::kNone:
      return "none";
    case Failure::kConnect:
      return "connect";
    case Failure::kTimeout:
      return "timeout";
    case Failure::kStatus:
      return "status";
    case Failure::kTruncated:
      return "truncated";
    case Failure::kStream:
      return "stream";
    case Failure::kEmpty:
      return "empty";
    case Failure::kLength:
      return "length";
    case Failure::kCancelled:
      return "cancelled";
  }
  return "none";
}

void AnswerReader::feed(int status, std::string_view piece, double when) {
  record_.status = status;
  if (status != 200) {
    refusal_.append(piece.substr(0, kMostRefusal - std::min(kMostRefusal, refusal_.size())));
    return;
  }
  const auto on_event = [this, when](const http::sse::Event& event) {
    this->on_event(event.data, when);
  };
  if (refusal_.size() < 256) refusal_.append(piece.substr(0, 256 - refusal_.size()));
  if (!events_.feed(piece, on_event)) fail(Failure::kStream, "an event of the stream is too long");
}

void AnswerReader::on_text(bool answer, double when) {
  if (record_.pieces++ == 0)
    record_.first = when;
  else
    record_.gaps.push_back(static_cast<float>(when - record_.last));
  if (answer && record_.first_answer == 0) record_.first_answer = when;
  record_.last = when;
}

void AnswerReader::on_event(std::string_view data, double when) {
  if (data == "[DONE]") {
    done_ = true;
    return;
  }
  auto tree = parse_json(data);
  if (!tree) return fail(Failure::kStream, tree.error().message);
  if (below(*tree, "error")) return fail(Failure::kStream, message_of(data));
  if (const Json* usage = below(*tree, "usage")) {
    record_.in = count_of(*usage, "prompt_tokens", record_.in);
    record_.out = count_of(*usage, "completion_tokens", record_.out);
    record_.counted_by_server |= usage->contains("completion_tokens");
    if (const Json* details = below(*usage, "prompt_tokens_details"))
      record_.cached = count_of(*details, "cached_tokens", record_.cached);
  }
  const Json* choices = below(*tree, "choices");
  if (!choices || !choices->is_array()) return;
  for (const Json& choice : *choices) {
    const Json* delta = below(choice, "delta");
    const Json& part = delta ? *delta : choice;
    const Json* calls = below(part, "tool_calls");
    const bool answer =
        has_text(part, "content") || has_text(part, "text") || (calls && !calls->empty());
    const bool thought = has_text(part, "reasoning_content") || has_text(part, "reasoning");
    if (answer || thought) on_text(answer, when);
    if (has_text(choice, "finish_reason")) record_.finish = choice["finish_reason"];
  }
}

void AnswerReader::fail(Failure failure, std::string why) {
  if (!record_.ok()) return;
  record_.failure = failure;
  record_.error = std::move(why);
}

void AnswerReader::end(bool complete, const std::string& why, bool exact_length) {
  if (!record_.counted_by_server) record_.out = record_.pieces;
  if (record_.status != 0 && record_.status != 200)
    return fail(Failure::kStatus, fmt::format("{}: {}", record_.status, message_of(refusal_)));
  if (!complete) return fail(Failure::kTruncated, why);
  if (record_.pieces == 0 && !done_ && record_.finish.empty())
    return fail(Failure::kStream, fmt::format("not a stream of events: {}", message_of(refusal_)));
  if (!done_ && record_.finish.empty())
    return fail(Failure::kTruncated, "the stream ended without a reason");
  if (record_.pieces == 0) return fail(Failure::kEmpty, "an answer without text");
  if (exact_length && record_.counted_by_server && record_.out != record_.asked_out)
    fail(Failure::kLength, fmt::format("{} tokens instead of {}", record_.out, record_.asked_out));
}

}  // namespace aictl::load
