#include "plugins/services/inference/text/reply/reply_format.hpp"

#include <algorithm>

namespace aictl {
namespace {

constexpr ThinkMarks kThinkMarks[] = {
    {"<think>", "</think>"},
    {"<seed:think>", "</seed:think>"},
    {"[THINK]", "[/THINK]"},
};

// The first that fits counts. <function= and <arg_key> are two ways that put no JSON between the
// same marks, [ARGS] one that puts the name before the JSON.
constexpr CallSyntax kCallSyntaxes[] = {
    {.name = "hermes",
     .open = "<tool_call>",
     .close = "</tool_call>",
     .signs = {"<tool_call>", "</tool_call>"},
     .others = {"<function=", "<arg_key>"}},
    {.name = "mistral",
     .open = "[TOOL_CALLS]",
     .close = "",
     .short_ids = true,
     .signs = {"[TOOL_CALLS]"},
     .others = {"[ARGS]"}},
    {.name = "llama3",
     .open = "<|python_tag|>",
     .close = "",
     .bare = true,
     .signs = {"<|start_header_id|>", "{\"name\": \"", "\"parameters\": "},
     .others = {"<function=", "<tool_call>"}},
};

bool fits(const CallSyntax& syntax, std::string_view source) {
  const auto in_source = [&](std::string_view text) { return source.find(text) != source.npos; };
  return std::ranges::all_of(syntax.signs, in_source) &&
         std::ranges::none_of(syntax.others, [&](std::string_view text) {
           return !text.empty() && in_source(text);
         });
}

}  // namespace

bool ReplyFormat::is_mark(std::string_view text) const {
  if (text.empty()) return false;
  return (thinking && (text == thinking->open || text == thinking->close)) ||
         (calls && (text == calls->open || text == calls->close));
}

ReplyFormat reply_format_of(std::string_view template_source) {
  ReplyFormat format;
  for (const ThinkMarks& marks : kThinkMarks)
    if (!format.thinking && template_source.find(marks.close) != template_source.npos)
      format.thinking = &marks;
  for (const CallSyntax& syntax : kCallSyntaxes)
    if (!format.calls && fits(syntax, template_source)) format.calls = &syntax;
  return format;
}

std::span<const ThinkMarks> think_marks() { return kThinkMarks; }
std::span<const CallSyntax> call_syntaxes() { return kCallSyntaxes; }

}  // namespace aictl
