// Reading an answer as it streams: server-sent events of chat and text completions.
#pragma once

#include <string>
#include <string_view>

#include "core/http/sse.hpp"
#include "core/load/drive/record.hpp"

namespace aictl::load {

/// Fills a Record from the body of its answer. One thread.
class AnswerReader {
 public:
  explicit AnswerReader(Record& record) : record_(record) {}

  /// A piece of the body that came at `when`; `status` is of the head.
  void feed(int status, std::string_view piece, double when);
  /// The body has ended, `complete` or broken off for `why`: decides whether the request failed.
  void end(bool complete, const std::string& why, bool exact_length);

 private:
  void on_event(std::string_view data, double when);
  void on_text(bool answer, double when);
  void fail(Failure failure, std::string why);

  Record& record_;
  http::sse::Parser events_{1 << 20};
  std::string refusal_;  // the beginning of a body that is no stream
  bool done_ = false;    // [DONE] has come
};

}  // namespace aictl::load
