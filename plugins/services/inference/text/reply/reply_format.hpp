// How a model writes what is not plain answer: its thinking and its tool calls. Models are trained
// on one way of writing, and their chat template shows which.
#pragma once

#include <span>
#include <string_view>

namespace aictl {

/// What stands around thinking.
struct ThinkMarks {
  std::string_view open, close;
};

/// A way to write tool calls: marks around JSON objects that hold a name and its arguments.
struct CallSyntax {
  std::string_view name;
  std::string_view open;            // before a call, or before a list of them
  std::string_view close;           // after it; empty: nothing
  bool bare = false;                // an answer that begins with a call needs no mark
  bool short_ids = false;           // the template takes back ids of nine characters only
  std::string_view signs[3] = {};   // texts that a template of this syntax holds, all of them
  std::string_view others[2] = {};  // texts that say it is another one
};

/// What of it a model does; nullptr: nothing of the kind that we know.
struct ReplyFormat {
  const ThinkMarks* thinking = nullptr;
  const CallSyntax* calls = nullptr;

  /// Whether `text` is one of the marks.
  bool is_mark(std::string_view text) const;
};

/// What the source of a chat template tells.
ReplyFormat reply_format_of(std::string_view template_source);

std::span<const ThinkMarks> think_marks();
std::span<const CallSyntax> call_syntaxes();

}  // namespace aictl
