#include "plugins/services/inference/api/answer/text_run.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace aictl::inference {
namespace {

std::string_view finish_word(FinishReason reason, int calls) {
  if (reason == FinishReason::kLength) return "length";
  return calls > 0 ? "tool_calls" : "stop";
}

// Why a prompt, or its end, had to be computed, for the header; empty when it had not.
std::string_view miss_word(CacheMiss miss) {
  switch (miss) {
    case CacheMiss::kNone:
      return "";
    case CacheMiss::kUnknown:
      return "unknown_prefix";
    case CacheMiss::kSuffix:
      return "suffix_changed";
    case CacheMiss::kShort:
      return "short_prompt";
    case CacheMiss::kOff:
      return "off";
    case CacheMiss::kNotWanted:
      return "not_wanted";
    case CacheMiss::kFaster:
      return "faster_to_compute";
    case CacheMiss::kUnreadable:
      return "unreadable";
    case CacheMiss::kNoRoom:
      return "no_room";
  }
  return "";
}

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

Result<std::shared_ptr<TextRun>> TextRun::make(http::Exchange exchange, const ServedModel& model,
                                               InferenceMetrics& metrics, TextRunPlan plan) {
  std::shared_ptr<TextRun> run(new TextRun(std::move(exchange), model, metrics, std::move(plan)));
  const TextRunPlan& kept = run->plan_;
  const size_t choices = kept.prompts.size() * static_cast<size_t>(kept.fields.n);
  run->choices_.reserve(choices);
  for (size_t i = 0; i < choices; ++i) {
    auto text = ChoiceText::make(*model.tokenizer, kept.fields, kept.at_text_start, kept.reply);
    if (!text) return std::move(text).error();
    run->choices_.push_back({std::move(*text), {}, {}, false, false, {}});
  }
  return run;
}

TextRun::TextRun(http::Exchange exchange, const ServedModel& model, InferenceMetrics& metrics,
                 TextRunPlan plan)
    : EngineRun(std::move(exchange), model),
      plan_(std::move(plan)),
      metrics_(metrics),
      waiting_(plan_.prompts.size()) {}

Result<std::shared_ptr<Generation>> TextRun::submit(size_t job, std::function<void()> wake) {
  GenerateRequest request = plan_.request;
  request.prompt = plan_.prompts[job];
  const int room = model_.engine->max_context() - static_cast<int>(request.prompt.size());
  if (request.max_tokens > 0) request.max_tokens = std::min(request.max_tokens, room);
  request.min_tokens = std::min(request.min_tokens, room);
  return model_.engine->submit(std::move(request), std::move(wake));
}

void TextRun::on_accepted() {
  if (!plan_.fields.stream) return;
  streaming_ = true;
  stream_ = http::sse::start(exchange_, plan_.keep_alive);
}

// Ends are looked at between two takes: what was pushed before an end is in one of them, and what
// is pushed after the second one wakes us again.
bool TextRun::read(size_t job, Generation& generation) {
  if (paused_) return false;
  collect(job, generation);
  std::vector<std::optional<Finished>> ends;
  for (int c = 0; c < plan_.fields.n; ++c) ends.push_back(generation.finished(c));
  collect(job, generation);
  while (!waiting_[job].empty()) {
    const TokenOut token = std::move(waiting_[job].front());
    waiting_[job].pop_front();
    push(job, token, generation);
    if (paused_) return false;
  }
  return take_ends(job, std::move(ends));
}

void TextRun::collect(size_t job, Generation& generation) {
  std::vector<int> counts(static_cast<size_t>(plan_.fields.n), 0);
  for (TokenOut& token : generation.take()) {
    ++counts[static_cast<size_t>(token.choice)];
    waiting_[job].push_back(std::move(token));
  }
  for (int c = 0; c < plan_.fields.n; ++c)
    observe_interval(choices_[static_cast<size_t>(index_of(job, c))],
                     counts[static_cast<size_t>(c)]);
}

void TextRun::push(size_t job, const TokenOut& token, Generation& generation) {
  const int index = index_of(job, token.choice);
  Choice& choice = choices_[static_cast<size_t>(index)];
  if (choice.text.ended()) return;
  if (!choice.text.push(token)) generation.stop(token.choice);  // it has all that was wanted
  send_text(choice, index);
}

// True once every choice of the job has ended.
bool TextRun::take_ends(size_t job, std::vector<std::optional<Finished>> ends) {
  bool all = true;
  for (size_t c = 0; c < ends.size(); ++c) {
    const int index = index_of(job, static_cast<int>(c));
    Choice& choice = choices_[static_cast<size_t>(index)];
    if (choice.end) continue;
    if (!ends[c]) {
      all = false;
      continue;
    }
    if (choice.text.ended()) ends[c]->reason = FinishReason::kStop;
    if (const auto error = failure_of(*ends[c])) return fail(*error), true;
    choice.text.finish(ends[c]->stop_token);
    choice.end = std::move(ends[c]);
    metrics_.finished(*choice.end, model_.card.id);
    send_text(choice, index);
  }
  return all;
}

void TextRun::observe_interval(Choice& choice, int tokens) {
  if (tokens == 0) return;
  const Time now = std::chrono::steady_clock::now();
  if (choice.last_token != Time{}) {
    const double each = std::chrono::duration<double>(now - choice.last_token).count() / tokens;
    for (int i = 0; i < tokens; ++i) metrics_.inter_token(each, model_.card.id);
  }
  choice.last_token = now;
}

openai::ChunkExtras TextRun::extras_of(const TextPart& part) const {
  openai::ChunkExtras extras;
  if (plan_.fields.sampling.logprobs >= 0 && !part.scores.empty())
    extras.logprobs = dump_json(plan_.format->logprobs(part.scores, part.offset));
  if (plan_.fields.return_token_ids) extras.token_ids = dump_json(Json(part.ids));
  return extras;
}

void TextRun::open(Choice& choice, int index) {
  if (std::exchange(choice.opened, true)) return;
  openai::ChunkExtras extras;
  if (plan_.fields.return_token_ids) {
    const size_t job = static_cast<size_t>(index / plan_.fields.n);
    extras.prompt_token_ids = dump_json(Json(plan_.prompts[job]));
  }
  send(plan_.format->opening(index, extras));
}

// Sends or keeps what is certain of the choice, and its end when it has one.
void TextRun::send_text(Choice& choice, int index) {
  TextPart part = choice.text.take();
  if (!plan_.fields.stream) {
    for (ReplyPiece& piece : part.pieces) add_piece(std::move(piece), choice.whole.pieces);
    std::ranges::move(part.scores, std::back_inserter(choice.whole.scores));
    choice.whole.ids.insert(choice.whole.ids.end(), part.ids.begin(), part.ids.end());
    return;
  }
  if (!part.empty()) send_part(choice, index, part);
  if (choice.end && !choice.closed) close(choice, index);
}

// A chunk a piece; scores and ids go with the first. They may stand alone, where the text they
// belong to was a mark.
void TextRun::send_part(Choice& choice, int index, const TextPart& part) {
  open(choice, index);
  openai::ChunkExtras extras = extras_of(part);
  if (part.pieces.empty()) return send(plan_.format->piece(index, {}, extras));
  for (const ReplyPiece& piece : part.pieces)
    send(plan_.format->piece(index, piece, std::exchange(extras, {})));
}

void TextRun::close(Choice& choice, int index) {
  choice.closed = true;
  open(choice, index);
  openai::ChunkExtras extras;
  const bool last = std::ranges::all_of(choices_, [](const Choice& c) { return c.closed; });
  if (last) extras.timings = dump_json(openai::timings_json(timings()));
  send(plan_.format->finish(index, finish_word(choice.end->reason, choice.text.calls()), extras));
}

void TextRun::send(const std::string& chunk) {
  if (!chunk.empty()) write(http::sse::format_event(chunk));
}

void TextRun::write(std::string bytes) {
  const http::WriteResult result = stream_.write(bytes);
  if (result == http::WriteResult::kClosed) return;  // on_close tells the run
  if (result == http::WriteResult::kFull)
    return fail({500, "server_error", "", "engine_failure", "the reader is too far behind"});
  if (result != http::WriteResult::kSlow || paused_) return;
  paused_ = true;
  stream_.on_drained([weak = weak_from_this()] {
    const auto self = std::static_pointer_cast<TextRun>(weak.lock());
    if (!self) return;
    self->paused_ = false;
    for (Choice& choice : self->choices_) choice.last_token = Time{};  // the wait was the reader's
    self->advance();
  });
}

openai::Usage TextRun::usage() const {
  openai::Usage usage;
  for (const auto& prompt : plan_.prompts)
    usage.prompt_tokens += static_cast<int64_t>(prompt.size());
  for (size_t i = 0; i < choices_.size(); i += static_cast<size_t>(plan_.fields.n))
    if (choices_[i].end) usage.cached_tokens += choices_[i].end->timings.cached_tokens;
  for (const Choice& choice : choices_) {
    usage.completion_tokens += choice.text.tokens();
    usage.reasoning_tokens += choice.text.reasoning_tokens();
  }
  return usage;
}

openai::Timings TextRun::timings() const {
  openai::Timings timings;
  for (const Choice& choice : choices_) {
    const GenerationTimings& t = choice.end->timings;
    timings.generated_tokens += choice.text.tokens();
    timings.prompt_ms = std::max(timings.prompt_ms, milliseconds(t.prefill));
    timings.generated_ms = std::max(timings.generated_ms, milliseconds(t.decode));
  }
  timings.cached_tokens = usage().cached_tokens;
  timings.prompt_tokens = usage().prompt_tokens - timings.cached_tokens;
  return timings;
}

// "hit=4096;disk=4032;miss=12;reason=suffix_changed": tokens of the prompts; of several prompts,
// the reason of the first that had to be computed.
std::string TextRun::cache_header() const {
  int64_t disk = 0;
  std::string_view reason;
  for (size_t i = 0; i < choices_.size(); i += static_cast<size_t>(plan_.fields.n)) {
    if (!choices_[i].end) continue;
    const GenerationTimings& t = choices_[i].end->timings;
    disk += t.disk_tokens;
    if (reason.empty()) reason = miss_word(t.miss);
  }
  const openai::Usage sums = usage();
  std::string header = fmt::format("hit={}", sums.cached_tokens);
  if (disk > 0) header += fmt::format(";disk={}", disk);
  header += fmt::format(";miss={}", sums.prompt_tokens - sums.cached_tokens);
  if (!reason.empty()) header += fmt::format(";reason={}", reason);
  return header;
}

void TextRun::on_complete() {
  if (plan_.fields.stream) {
    if (plan_.fields.include_usage) send(plan_.format->usage(usage()));
    write(http::sse::format_event(openai::kDone));
    stream_.finish();
    return;
  }
  std::vector<WholeChoice> choices;
  Duration queued{};
  for (Choice& choice : choices_) {
    choice.whole.finish_reason = finish_word(choice.end->reason, choice.text.calls());
    queued = std::max(queued, choice.end->timings.queued);
    choices.push_back(std::move(choice.whole));
  }
  WholeExtras extras{plan_.fields.return_token_ids, plan_.prompts, usage(), timings()};
  exchange_.set_response_header("x-aictl-queue-ms",
                                std::to_string(static_cast<int64_t>(milliseconds(queued))));
  exchange_.set_response_header("x-aictl-cache", cache_header());
  exchange_.respond(
      http::Response::json(200, dump_json(plan_.format->whole(std::move(choices), extras))));
}

void TextRun::on_failure(const openai::ApiError& error) {
  metrics_.failed(model_.card.id);
  if (streaming_) {
    // The 200 is out: the error is an event, and no [DONE] follows.
    stream_.write(http::sse::format_event(dump_json(openai::error_body(error))));
    stream_.finish();
    return;
  }
  respond_error(exchange_, error, &model_);
}

}  // namespace aictl::inference
