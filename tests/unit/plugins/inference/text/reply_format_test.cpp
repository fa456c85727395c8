// Which way of writing a chat template shows.
#include "plugins/services/inference/text/reply/reply_format.hpp"

#include <doctest/doctest.h>

#include <string>

#include "core/base/file.hpp"

using namespace aictl;

namespace {

std::string calls_of(const std::string& source) {
  const ReplyFormat format = reply_format_of(source);
  return format.calls ? std::string(format.calls->name) : "";
}

std::string template_of(const std::string& name) {
  auto text = read_file(std::string(AICTL_TEST_DATA) + "/templates/" + name + ".jinja");
  REQUIRE_MESSAGE(text.ok(), name);
  return std::move(*text);
}

}  // namespace

TEST_CASE("reply format: the templates in the tree show how their models call and think") {
  struct Case {
    const char* file;
    const char* calls;
    bool thinks;
  };
  const Case cases[] = {{"qwen2.5", "hermes", false},   {"qwen3", "hermes", true},
                        {"llama-3.1", "llama3", false}, {"llama-3.2", "llama3", false},
                        {"llama-3.3", "llama3", false}, {"mistral-nemo", "mistral", false},
                        {"phi-3.5", "", false},         {"gemma-2", "", false}};
  for (const Case& c : cases) {
    CAPTURE(c.file);
    const std::string source = template_of(c.file);
    CHECK(calls_of(source) == c.calls);
    CHECK((reply_format_of(source).thinking != nullptr) == c.thinks);
  }
}

TEST_CASE("reply format: other things between the same marks are another format") {
  CHECK(calls_of("<tool_call>{{ x }}</tool_call>") == "hermes");
  CHECK(calls_of("<tool_call><function={{ x }}></tool_call>") == "");
  CHECK(calls_of("<tool_call>{{ x }}<arg_key></tool_call>") == "");
  CHECK(calls_of("[TOOL_CALLS]{{ name }}[ARGS]") == "");
  CHECK(calls_of("") == "");
}

TEST_CASE("reply format: thinking that only ends is thinking") {
  const ReplyFormat format = reply_format_of("{{ content.split('</think>')[-1] }}");
  REQUIRE(format.thinking != nullptr);
  CHECK(format.thinking->open == "<think>");
  CHECK(format.is_mark("<think>"));
  CHECK(format.is_mark("</think>"));
  CHECK_FALSE(format.is_mark(""));
  CHECK_FALSE(format.is_mark("<tool_call>"));
}

TEST_CASE("reply format: no mark holds its first byte twice, which the parser relies on") {
  const auto once = [](std::string_view mark) { return mark.rfind(mark[0]) == 0; };
  for (const ThinkMarks& marks : think_marks()) CHECK((once(marks.open) && once(marks.close)));
  for (const CallSyntax& row : call_syntaxes()) {
    CHECK(once(row.open));
    CHECK((row.close.empty() || once(row.close)));
    CHECK_FALSE(row.signs[0].empty());
  }
}
