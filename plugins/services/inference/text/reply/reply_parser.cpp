#include "plugins/services/inference/text/reply/reply_parser.hpp"

#include <algorithm>
#include <utility>

namespace aictl {
namespace {

bool is_blank(char byte) { return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'; }

bool all_blank(std::string_view text) { return std::ranges::all_of(text, is_blank); }

}  // namespace

void add_piece(ReplyPiece piece, std::vector<ReplyPiece>& out) {
  const bool joins =
      !out.empty() && out.back().kind == piece.kind && piece.kind != ReplyPiece::Kind::kCall;
  if (joins)
    out.back().text += piece.text;
  else
    out.push_back(std::move(piece));
}

ReplyParser::ReplyParser(ReplyOptions options) : options_(std::move(options)) {
  const bool thinks = options_.format.thinking != nullptr;
  may_think_ = thinks && options_.start == ReplyStart::kTurn;
  if (thinks && options_.start == ReplyStart::kThinking) {
    at_ = At::kThinking;
    skip_blank_ = true;
  }
  const bool plain = !thinks && options_.format.calls == nullptr;
  if (plain || options_.start == ReplyStart::kContinued) at_ = At::kText;
}

void ReplyParser::push(std::string_view text, std::vector<ReplyPiece>& out) {
  out_ = &out;
  for (const char byte : text) {
    if (over_) break;
    take(byte);
  }
  out_ = nullptr;
}

void ReplyParser::take(char byte) {
  switch (at_) {
    case At::kStart:
      return start(byte);
    case At::kThinking:
      return think(byte);
    case At::kText:
      return text(byte);
    case At::kMarked:
      return marked(byte);
    case At::kCall:
      return call(byte);
    case At::kBetween:
      return between(byte);
  }
}

// One byte more of `mark` at the end of what is held; false when it does not fit, or when a mark
// has not begun. Marks do not hold their first byte twice, so a failed one begins anew at `byte`.
bool ReplyParser::matches(char byte, std::string_view mark) {
  if (matched_ >= mark.size() || mark[matched_] != byte) return false;
  held_.push_back(byte);
  ++matched_;
  return true;
}

void ReplyParser::emit(Kind kind, std::string_view text) {
  if (text.empty()) return;
  const bool of_call = kind == Kind::kCall || kind == Kind::kArguments;
  add_piece({kind, std::string(text), of_call ? calls_ - 1 : 0}, *out_);
}

void ReplyParser::release(Kind kind) {
  matched_ = 0;
  emit(kind, std::exchange(held_, {}));
}

// What was held is looked at once more, as text, and `byte` after it.
void ReplyParser::to_text(char byte) {
  at_ = At::kText;
  in_list_ = skip_blank_ = false;
  matched_ = 0;
  for (const char again : std::exchange(held_, {})) text(again);
  take(byte);
}

// Before anything was said: blanks, thinking, or a call without a mark.
void ReplyParser::start(char byte) {
  if (matched_ == 0 && is_blank(byte)) {
    if (!skip_blank_) held_.push_back(byte);
    return;
  }
  if (may_think_ && matches(byte, options_.format.thinking->open)) {
    if (matched_ < options_.format.thinking->open.size()) return;
    held_.clear();
    matched_ = 0;
    at_ = At::kThinking;
    skip_blank_ = true;
    return;
  }
  const bool bare = options_.format.calls && options_.format.calls->bare;
  if (bare && matched_ == 0 && byte == '{') return begin_call(byte);
  to_text(byte);
}

void ReplyParser::think(char byte) {
  const std::string_view close = options_.format.thinking->close;
  if (matches(byte, close)) {
    if (matched_ < close.size()) return;
    held_.clear();
    matched_ = 0;
    at_ = At::kStart;
    may_think_ = false;
    skip_blank_ = true;
    return;
  }
  if (matched_ > 0) {
    release(Kind::kReasoning);
    skip_blank_ = false;
    return think(byte);
  }
  if (is_blank(byte)) {
    if (!skip_blank_) held_.push_back(byte);
    return;
  }
  skip_blank_ = false;
  release(Kind::kReasoning);
  emit(Kind::kReasoning, {&byte, 1});
}

void ReplyParser::text(char byte) {
  if (options_.format.calls == nullptr) return emit(Kind::kContent, {&byte, 1});
  const std::string_view open = options_.format.calls->open;
  if (matches(byte, open)) {
    if (matched_ == open.size()) at_ = At::kMarked;
    return;
  }
  if (matched_ > 0) {
    release(Kind::kContent);
    return text(byte);
  }
  if (is_blank(byte)) {
    held_.push_back(byte);
    return;
  }
  release(Kind::kContent);
  emit(Kind::kContent, {&byte, 1});
}

// After the mark: blanks, the bracket of a list, a call.
void ReplyParser::marked(char byte) {
  if (byte == '{') return begin_call(byte);
  if (is_blank(byte) || (byte == '[' && !in_list_)) {
    in_list_ = in_list_ || byte == '[';
    held_.push_back(byte);
    return;
  }
  release(Kind::kContent);
  to_text(byte);
}

void ReplyParser::begin_call(char byte) {
  const bool marked = at_ == At::kMarked || in_list_;
  scanner_ = marked ? CallScanner() : CallScanner(options_.tools);
  matched_ = 0;
  at_ = At::kCall;
  call(byte);
}

void ReplyParser::call(char byte) {
  std::string arguments;
  const bool before = scanner_.started();
  const CallScanner::Verdict verdict = scanner_.push(byte, arguments);
  if (scanner_.started() && !before) {
    held_.clear();
    ++calls_;
    emit(Kind::kCall, scanner_.name());
  }
  emit(Kind::kArguments, arguments);
  if (verdict == CallScanner::Verdict::kDone) {
    at_ = At::kBetween;
    over_ = options_.one_call;
  } else if (verdict == CallScanner::Verdict::kRefused ||
             verdict == CallScanner::Verdict::kBroken) {
    held_ += scanner_.held();
    release(Kind::kContent);
    to_text(byte);
  }
}

// After a call: the closing mark, the end of the list, or another call.
void ReplyParser::between(char byte) {
  const std::string_view close = options_.format.calls->close;
  if (matches(byte, close)) {
    if (matched_ < close.size()) return;
    held_.clear();
    matched_ = 0;
    in_list_ = false;
    at_ = At::kText;
    return;
  }
  const bool separator = byte == ';' || (byte == ',' && in_list_);
  if (matched_ == 0 && (is_blank(byte) || separator)) {
    held_.push_back(byte);
  } else if (matched_ == 0 && byte == '{') {
    begin_call(byte);
  } else if (matched_ == 0 && byte == ']' && in_list_) {
    in_list_ = false;
    held_.clear();
  } else {
    to_text(byte);
  }
}

void ReplyParser::finish(std::vector<ReplyPiece>& out) {
  if (over_) return;
  over_ = true;
  out_ = &out;
  switch (at_) {
    case At::kThinking:
      release(Kind::kReasoning);
      break;
    case At::kText:
      if (calls_ > 0 && all_blank(held_)) break;
      [[fallthrough]];
    case At::kStart:
    case At::kMarked:
      release(Kind::kContent);
      break;
    case At::kCall:
      if (scanner_.started()) break;
      held_ += scanner_.held();
      release(Kind::kContent);
      break;
    case At::kBetween:  // the rest of a mark
      break;
  }
  out_ = nullptr;
}

}  // namespace aictl
