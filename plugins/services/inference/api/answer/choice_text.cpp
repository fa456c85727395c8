#include "plugins/services/inference/api/answer/choice_text.hpp"

#include <algorithm>

#include "core/base/utf8.hpp"

namespace aictl::inference {
namespace {

openai::ScoredToken scored(const Tokenizer& tokenizer, int32_t id, float logprob) {
  TokenText text = token_text(tokenizer, id);
  return {std::move(text.text), std::move(text.bytes), logprob};
}

}  // namespace

Result<ChoiceText> ChoiceText::make(const Tokenizer& tokenizer,
                                    const openai::GenerationFields& fields, bool at_text_start,
                                    const ReplyOptions& reply) {
  auto stops = StopMatcher::make(fields.stop, fields.include_stop);
  if (!stops) return std::move(stops).error();
  return ChoiceText(tokenizer, fields, std::move(*stops), at_text_start, reply);
}

ChoiceText::ChoiceText(const Tokenizer& tokenizer, const openai::GenerationFields& fields,
                       StopMatcher stops, bool at_text_start, const ReplyOptions& reply)
    : tokenizer_(&tokenizer),
      fields_(&fields),
      detokenizer_(tokenizer,
                   {.show_control = !fields.skip_special_tokens, .at_text_start = at_text_start}),
      stops_(std::move(stops)),
      marks_(reply.format),
      reply_(reply) {}

void ChoiceText::add_score(const TokenOut& token) {
  if (part_.scores.empty()) part_.offset = scored_characters_;
  openai::TokenScores scores{scored(*tokenizer_, token.id, token.logprob), {}};
  for (const TokenLogprob& other : token.top)
    scores.top.push_back(scored(*tokenizer_, other.id, other.logprob));
  scored_characters_ += utf8::count(scores.chosen.text);
  part_.scores.push_back(std::move(scores));
}

// Some models write marks as control tokens, which are no text otherwise.
void ChoiceText::detokenize(int32_t id, std::string& fresh) {
  const bool mark = fields_->skip_special_tokens && tokenizer_->is_control(id) &&
                    marks_.is_mark(tokenizer_->piece(id));
  if (!mark) return detokenizer_.push(id, fresh);
  detokenizer_.flush(fresh);
  fresh += tokenizer_->piece(id);
}

bool ChoiceText::push(const TokenOut& token) {
  if (ended_) return false;
  ++tokens_;
  if (fields_->sampling.logprobs >= 0) add_score(token);
  if (fields_->return_token_ids) part_.ids.push_back(token.id);
  std::string fresh, certain;
  detokenize(token.id, fresh);
  const bool stopped = stops_.push(fresh, certain).has_value();
  const bool thought = reply_.thinking();
  reply_.push(certain, part_.pieces);
  if (thought || reply_.thinking()) ++reasoning_tokens_;
  ended_ = stopped || reply_.over();
  if (ended_) reply_.finish(part_.pieces);
  return !ended_;
}

void ChoiceText::finish(int32_t stop_token) {
  if (ended_) return;
  ended_ = true;
  std::string fresh, certain;
  const auto& asked = fields_->stop_token_ids;
  if (fields_->include_stop && std::ranges::find(asked, stop_token) != asked.end())
    detokenizer_.push(stop_token, fresh);
  detokenizer_.flush(fresh);
  if (!stops_.push(fresh, certain)) stops_.flush(certain);
  reply_.push(certain, part_.pieces);
  reply_.finish(part_.pieces);
}

TextPart ChoiceText::take() {
  if (part_.pieces.empty() && !ended_) return {};
  return std::exchange(part_, {});
}

}  // namespace aictl::inference
