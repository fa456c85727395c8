// What models write, taken apart: the same however it is cut, and nothing of it lost.
#include "plugins/services/inference/text/reply/reply_parser.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace aictl;

namespace {

using Pieces = std::vector<ReplyPiece>;

const CallSyntax* syntax(std::string_view name) {
  for (const CallSyntax& row : call_syntaxes())
    if (row.name == name) return &row;
  return nullptr;
}

ReplyPiece thought(std::string text) { return {ReplyPiece::Kind::kReasoning, std::move(text), 0}; }
ReplyPiece said(std::string text) { return {ReplyPiece::Kind::kContent, std::move(text), 0}; }

// A call and its arguments.
Pieces called(std::string name, std::string arguments, int call = 0) {
  return {{ReplyPiece::Kind::kCall, std::move(name), call},
          {ReplyPiece::Kind::kArguments, std::move(arguments), call}};
}

Pieces operator+(Pieces a, const Pieces& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Pieces parse(const ReplyOptions& options, const std::vector<std::string_view>& cuts) {
  ReplyParser parser(options);
  Pieces all;
  for (const std::string_view cut : cuts) {
    Pieces fresh;
    parser.push(cut, fresh);
    for (ReplyPiece& piece : fresh) add_piece(std::move(piece), all);
  }
  Pieces rest;
  parser.finish(rest);
  for (ReplyPiece& piece : rest) add_piece(std::move(piece), all);
  return all;
}

std::string shown(const Pieces& pieces) {
  constexpr const char* kKinds[] = {"thought", "said", "call", "arguments"};
  std::string out;
  for (const ReplyPiece& piece : pieces)
    out += std::string(kKinds[static_cast<int>(piece.kind)]) + "<" + piece.text + "> ";
  return out;
}

// Whole, in single bytes, in any two and (while it is short) any three pieces.
void check(const ReplyOptions& options, std::string_view text, const Pieces& expected) {
  CAPTURE(text);
  const Pieces whole = parse(options, {text});
  CHECK_MESSAGE(whole == expected, shown(whole));
  std::vector<std::string_view> bytes;
  for (size_t i = 0; i < text.size(); ++i) bytes.push_back(text.substr(i, 1));
  CHECK(parse(options, bytes) == expected);
  for (size_t a = 0; a <= text.size(); ++a) {
    const bool two = parse(options, {text.substr(0, a), text.substr(a)}) == expected;
    if (!two) FAIL_CHECK("cut at " << a);
    if (text.size() > 90) continue;
    for (size_t b = a; b <= text.size(); ++b) {
      const bool three =
          parse(options, {text.substr(0, a), text.substr(a, b - a), text.substr(b)}) == expected;
      if (!three) FAIL_CHECK("cut at " << a << " and " << b);
    }
  }
}

ReplyOptions calling(std::string_view name) {
  ReplyOptions options;
  options.format.calls = syntax(name);
  REQUIRE(options.format.calls != nullptr);
  options.tools = {"get_weather", "f", "g"};
  return options;
}

ReplyOptions thinking(ReplyStart start = ReplyStart::kTurn) {
  ReplyOptions options;
  options.format.thinking = &think_marks()[0];
  options.start = start;
  return options;
}

}  // namespace

TEST_CASE("reply: without a format all text is content, byte for byte") {
  check({}, " \n<think>x</think> <tool_call>{\"name\":\"f\"}</tool_call>[TOOL_CALLS][] ",
        {said(" \n<think>x</think> <tool_call>{\"name\":\"f\"}</tool_call>[TOOL_CALLS][] ")});
  check({}, "", {});
}

TEST_CASE("reply: hermes calls, alone, after words, several, with arguments as they were written") {
  const ReplyOptions hermes = calling("hermes");
  check(hermes, "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>",
        called("f", "{\"a\": 1}"));
  check(
      hermes,
      "I'll look.\n\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"}{\\\"\"}}\n"
      "</tool_call>\n<tool_call>{\"arguments\":{\"b\":[1,{\"c\":2}]},\"name\":\"g\"}</tool_call>\n",
      Pieces{said("I'll look.")} + called("f", "{\"a\": \"}{\\\"\"}") +
          called("g", "{\"b\":[1,{\"c\":2}]}", 1));
  check(hermes, "<tool_call>{\"name\":\"f\"}</tool_call> done",
        called("f", "{}") + Pieces{said(" done")});
  check(hermes, "<tool_call>{\"name\":\"f\",\"arguments\":null}</tool_call>", called("f", "{}"));
  check(hermes, "<tool_call>{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}</tool_call>",
        called("f", "{\"a\":1}"));
  check(hermes,
        "<tool_call>{\"name\":\"\\u00e9\",\"arguments\":{\"s\":\"caf\xC3\xA9\"}}</tool_call>",
        called("\xC3\xA9", "{\"s\":\"caf\xC3\xA9\"}"));
  check(hermes,
        "<tool_call>{\"id\":7,\"name\":\"f\",\"x\":[{}],\"arguments\":{},\"y\":\"z\"}</tool_call>",
        called("f", "{}"));
  check(hermes,
        "<tool_call>[{\"name\":\"f\",\"arguments\":{}}, "
        "{\"name\":\"g\",\"arguments\":{}}]</tool_call>",
        called("f", "{}") + called("g", "{}", 1));
}

TEST_CASE("reply: a hermes call without its closing mark or brace is a call") {
  const ReplyOptions hermes = calling("hermes");
  check(hermes, "<tool_call>{\"name\":\"f\",\"arguments\":{}}", called("f", "{}"));
  check(hermes, "<tool_call>{\"name\":\"f\",\"arguments\":{}}\n</tool_c", called("f", "{}"));
  check(
      hermes,
      "<tool_call>{\"name\":\"f\",\"arguments\":{}}\n<tool_call>{\"name\":\"g\",\"arguments\":{}}",
      called("f", "{}") + called("g", "{}", 1));
  check(hermes, "<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":\"cut o",
        called("f", "{\"a\":\"cut o"));
}

TEST_CASE("reply: what turns out to be no call is content, to the last byte") {
  const ReplyOptions hermes = calling("hermes");
  for (const std::string_view text :
       {"a < b <tool <tool_call", "<tool_call>", " <tool_call> nothing", "<tool_call>{\"nam",
        "<tool_call>{\"name\": 3, \"arguments\": {}}</tool_call>", "<tool_call>{}</tool_call>",
        "<tool_call>{\"name\": \"\", \"arguments\": {}}", "<<tool_call>>", "\n \n", "x \n ",
        "<tool_call>{\"name\": \"f\", \"arguments\": [1]}</tool_call>",
        "<tool_call>{\"name\": \"f\", \"arguments\": 1}</tool_call>",
        "<tool_call>{\"arguments\": {\"a\": 1}}</tool_call>",
        "<tool_call>{\"name\": \"f\" \"arguments\": {}}", "<tool_call>[[{\"name\":\"f\"}]]",
        "<tool_call>{\"name\" \"f\"}", "</tool_call>", "{\"name\":\"f\",\"arguments\":{}}"})
    check(hermes, text, {said(std::string(text))});
  check(hermes, "<tool_call>oh <tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>",
        Pieces{said("<tool_call>oh")} + called("f", "{}"));
  check(hermes, "<tool_call>{\"name\":5<tool_call>{\"name\":\"f\"}</tool_call>",
        Pieces{said("<tool_call>{\"name\":5")} + called("f", "{}"));
  check(hermes, "<tool_call>{\"name\":\"f\",\"arguments\":{}, oops",
        called("f", "{}") + Pieces{said(", oops")});
}

TEST_CASE("reply: llama calls stand bare at the beginning, or behind their mark") {
  const ReplyOptions llama = calling("llama3");
  check(llama, "{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Paris\"}}",
        called("get_weather", "{\"city\": \"Paris\"}"));
  check(llama, "\n{\"type\": \"function\", \"name\": \"f\", \"parameters\": {}}",
        called("f", "{}"));
  check(llama, "{\"name\": \"f\", \"parameters\": {}}; {\"name\": \"g\", \"parameters\": {}}\n",
        called("f", "{}") + called("g", "{}", 1));
  check(llama, "<|python_tag|>{\"name\": \"other\", \"parameters\": {\"q\": 1}}",
        called("other", "{\"q\": 1}"));
  check(llama, "Well <|python_tag|>{\"name\": \"f\", \"parameters\": {}}",
        Pieces{said("Well")} + called("f", "{}"));
}

TEST_CASE("reply: JSON that a llama answers with is content") {
  const ReplyOptions llama = calling("llama3");
  for (const std::string_view text :
       {"{\"name\": \"Alice\", \"parameters\": {}}", "{\"answer\": 42}", "{}", " {\"name\": \"f",
        "{ not json", "Here: {\"name\": \"f\", \"parameters\": {}}", "<|python_tag|>print(1)",
        "{\"name\": \"f\", \"colour\": 1}"})
    check(llama, text, {said(std::string(text))});
  check(llama, "{\"name\": \"f\", \"parameters\": {}} so", called("f", "{}") + Pieces{said(" so")});
  check(llama, "{\"name\": \"f\", \"parameters\": {}}; {\"a\": 1}",
        called("f", "{}") + Pieces{said("; {\"a\": 1}")});
}

TEST_CASE("reply: mistral calls stand in a list behind one mark") {
  const ReplyOptions mistral = calling("mistral");
  check(mistral,
        "[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {\"a\": 1}, \"id\": \"abcdefghi\"}]",
        called("f", "{\"a\": 1}"));
  check(
      mistral,
      "[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": {}}, {\"name\": \"g\", \"arguments\": {}}] ",
      called("f", "{}") + called("g", "{}", 1));
  check(mistral, "[TOOL_CALLS]{\"name\": \"f\", \"arguments\": {}}", called("f", "{}"));
  for (const std::string_view text :
       {"[TOOL_CALLS][]", "[TOOL_CALLS][1]", "[TOOL", "[1, 2] [TOOL_X"})
    check(mistral, text, {said(std::string(text))});
}

TEST_CASE("reply: when one call is wanted the reply is over with it") {
  ReplyOptions one = calling("hermes");
  one.one_call = true;
  const std::string_view text =
      "<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call><tool_call>{\"name\":\"g\"}</"
      "tool_call>";
  check(one, text, called("f", "{}"));
  ReplyParser parser(one);
  Pieces out;
  parser.push(text.substr(0, text.find("</tool_call>")), out);
  CHECK(parser.over());
  CHECK(parser.calls() == 1);
}

TEST_CASE("reply: thinking comes apart, without the blanks around its marks") {
  check(thinking(), "<think>\nHm, <b>.\n\nSo.\n</think>\n\nYes. ",
        {thought("Hm, <b>.\n\nSo."), said("Yes. ")});
  check(thinking(), "\n<think></think>\nYes", {said("Yes")});
  check(thinking(), "<think>\ncut o", {thought("cut o")});
  check(thinking(), "<think>a</thin", {thought("a</thin")});
  check(thinking(ReplyStart::kThinking), "\nHm\n</think>\nYes", {thought("Hm"), said("Yes")});
  check(thinking(ReplyStart::kThinking), "Hm <think> </x </think>Yes</think>",
        {thought("Hm <think> </x"), said("Yes</think>")});
}

TEST_CASE("reply: words about thinking are words") {
  for (const std::string_view text :
       {"The <think> mark.", " <thinker>", "Yes</think>", "<thin", " \n", "<THINK>x</THINK>"})
    check(thinking(), text, {said(std::string(text))});
  check(thinking(), "<think>a</think>b<think>c</think>", {thought("a"), said("b<think>c</think>")});
  check(thinking(ReplyStart::kContinued), "<think>x</think>", {said("<think>x</think>")});
}

TEST_CASE("reply: a call after thinking is a call, one within is thought") {
  ReplyOptions both = calling("hermes");
  both.format.thinking = &think_marks()[0];
  check(both,
        "<think>I could <tool_call>{\"name\":\"f\"}</tool_call>\n</think>\n\n"
        "<tool_call>\n{\"name\": \"g\", \"arguments\": {}}\n</tool_call>",
        Pieces{thought("I could <tool_call>{\"name\":\"f\"}</tool_call>")} + called("g", "{}"));
  ReplyOptions llama = calling("llama3");
  llama.format.thinking = &think_marks()[0];
  check(llama, "<think>hm</think>\n{\"name\": \"f\", \"parameters\": {}}",
        Pieces{thought("hm")} + called("f", "{}"));
}

TEST_CASE("reply: what is certain comes at once") {
  ReplyParser parser(calling("hermes"));
  Pieces out;
  parser.push("Hello", out);
  CHECK(out == Pieces{said("Hello")});
  out.clear();
  parser.push(" <tool_call>{\"name\":\"f\",", out);
  CHECK(out.empty());
  parser.push("\"arguments\":{\"te", out);
  CHECK(out == called("f", "{\"te"));
  out.clear();
  parser.push("xt\":\"", out);
  CHECK(out == Pieces{{ReplyPiece::Kind::kArguments, "xt\":\"", 0}});
  CHECK(parser.calls() == 1);
}

TEST_CASE("reply: a parser that was moved goes on") {
  ReplyParser parser(calling("llama3"));
  Pieces out;
  parser.push("{\"name\": ", out);
  ReplyParser moved(std::move(parser));
  moved.push("\"g\", \"parameters\": {}}", out);
  CHECK(out == called("g", "{}"));
}

TEST_CASE("reply: a long text of half marks takes time in proportion") {
  const ReplyOptions hermes = calling("hermes");
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "<tool_call>{\"<tool_call>{";
  CHECK(parse(hermes, {text}) == Pieces{said(text)});
}
