// The text a model makes -> thinking, answer and tool calls, as they come. A machine of single
// bytes: however the text is cut into pieces, the parts are the same, and none of it is lost: what
// turns out to be no call is content.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/services/inference/text/reply/call_scanner.hpp"
#include "plugins/services/inference/text/reply/reply_format.hpp"

namespace aictl {

struct ReplyPiece {
  enum class Kind : uint8_t {
    kReasoning,
    kContent,
    kCall,       // a tool call begins: the text is its name
    kArguments,  // JSON text, as the model wrote it
  };
  Kind kind = Kind::kContent;
  std::string text;
  int call = 0;  // which of the reply's calls it belongs to
  bool operator==(const ReplyPiece&) const = default;
};

/// Appends `piece` to `out`, or to its last piece where the two are one.
void add_piece(ReplyPiece piece, std::vector<ReplyPiece>& out);

/// Where the text begins.
enum class ReplyStart : uint8_t {
  kTurn,       // a turn of its own
  kThinking,   // the prompt has opened the thinking already
  kContinued,  // in the middle of an answer: it neither thinks nor begins with a call
};

struct ReplyOptions {
  ReplyFormat format;              // what to look for; by default all text is content
  std::vector<std::string> tools;  // what may be called without a mark
  bool one_call = false;           // the reply is over after its first call
  ReplyStart start = ReplyStart::kTurn;
};

/// White space next to a mark goes with the mark. Thinking is looked for where a reply begins,
/// calls anywhere after it.
class ReplyParser {
 public:
  explicit ReplyParser(ReplyOptions options = {});
  ReplyParser(ReplyParser&&) =
      default;  // what is scanned points into the options, which move along

  /// Appends to `out` what `text` makes certain.
  void push(std::string_view text, std::vector<ReplyPiece>& out);
  /// The text has ended: what was held for a mark or a call that did not come is content.
  void finish(std::vector<ReplyPiece>& out);

  bool thinking() const { return at_ == At::kThinking; }
  int calls() const { return calls_; }
  /// Nothing more is read: the one call that was wanted is complete.
  bool over() const { return over_; }

 private:
  enum class At : uint8_t { kStart, kThinking, kText, kMarked, kCall, kBetween };
  using Kind = ReplyPiece::Kind;

  void take(char byte);
  void start(char byte);
  void think(char byte);
  void text(char byte);
  void marked(char byte);
  void call(char byte);
  void between(char byte);
  void begin_call(char byte);
  void to_text(char byte);
  bool matches(char byte, std::string_view mark);
  void emit(Kind kind, std::string_view text);
  void release(Kind kind);

  ReplyOptions options_;
  At at_ = At::kStart;
  std::string held_;       // white space and then the beginning of a mark; or a mark before a call
  size_t matched_ = 0;     // bytes of the mark at the end of held_
  bool may_think_ = true;  // no thinking came yet
  bool skip_blank_ = false;  // right after a mark
  bool in_list_ = false;     // of calls
  bool over_ = false;
  int calls_ = 0;
  CallScanner scanner_;
  std::vector<ReplyPiece>* out_ = nullptr;  // of the push that runs
};

}  // namespace aictl
