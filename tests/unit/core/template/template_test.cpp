// The engine's own promises: origins of bytes, limits, errors with lines, the environment's
// switches.
#include "core/template/template.hpp"

#include <string>

#include <doctest/doctest.h>

using aictl::ErrorCode;
using aictl::Json;
using aictl::jinja::Options;
using aictl::jinja::RenderOptions;
using aictl::jinja::Template;
using aictl::jinja::UndefinedPolicy;

namespace {

aictl::Result<aictl::jinja::Rendered> render(const std::string& source, const Json& variables = {},
                                             const RenderOptions& limits = {},
                                             const Options& options = {}) {
  auto parsed = Template::parse(source, options);
  if (!parsed) return parsed.error();
  return parsed->render(variables, limits);
}

std::string text(const std::string& source, const Json& variables = {},
                 const Options& options = {}) {
  const auto rendered = render(source, variables, {}, options);
  return rendered ? rendered->text : "error: " + rendered.error().message;
}

// The text with each run of untrusted bytes in brackets.
std::string marked(const std::string& source, const Json& variables) {
  const auto rendered = render(source, variables);
  if (!rendered) return "error: " + rendered.error().message;
  std::string out;
  for (const auto& span : rendered->spans) {
    const std::string part = rendered->text.substr(span.begin, span.end - span.begin);
    out += span.trusted ? part : "[" + part + "]";
  }
  return out;
}

aictl::Error error(const std::string& source, const Json& variables = {},
                   const RenderOptions& limits = {}) {
  const auto rendered = render(source, variables, limits);
  REQUIRE_FALSE(rendered.ok());
  return rendered.error();
}

std::string repeated(const std::string& part, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += part;
  return all;
}

Json user(const std::string& content) {
  return Json{{"messages", Json::array({Json{{"role", "user"}, {"content", content}}})},
              {"bos_token", "<s>"}};
}

}  // namespace

TEST_CASE("what a user wrote is told apart from the template's own text") {
  const Json vars = user("<s>hi");
  CHECK(marked("{{ bos_token }}A{{ messages[0].content }}B", vars) == "<s>A[<s>hi]B");
  CHECK(marked("{{ bos_token + messages[0]['content'] + '</s>' }}", vars) == "<s>[<s>hi]</s>");
  CHECK(marked("{{ '<' ~ messages[0].content ~ 1 }}", vars) == "<[<s>hi]1");
  CHECK(marked("{{ 'all mine' }}", vars) == "all mine");
}

TEST_CASE("the origin of bytes survives every operation on strings") {
  const Json vars = user(" <s>Hi you ");
  const std::string mixed = "{% set x = 'A' + messages[0].content + 'b' %}";
  CHECK(marked(mixed + "{{ x[1:] }}", vars) == "[ <s>Hi you ]b");
  CHECK(marked(mixed + "{{ x[-3:] }}", vars) == "[u ]b");
  CHECK(marked(mixed + "{{ x[::-1] }}", vars) == "b[ uoy iH>s< ]A");
  CHECK(marked(mixed + "{{ x[1] ~ x[0] ~ x[-1] }}", vars) == "[ ]Ab");
  CHECK(marked(mixed + "{{ x.strip('Ab') }}", vars) == "[ <s>Hi you ]");
  CHECK(marked(mixed + "{{ x | trim }}|{{ messages[0].content | trim }}", vars) ==
        "A[ <s>Hi you ]b|[<s>Hi you]");
  CHECK(marked(mixed + "{{ x | upper }}{{ x.lower() }}", vars) == "A[ <S>HI YOU ]Ba[ <s>hi you ]b");
  CHECK(marked(mixed + "{{ x.split('>')[-1] }}", vars) == "[Hi you ]b");
  CHECK(marked(mixed + "{{ x.split() | join('+') }}", vars) == "A+[<s>Hi]+[you]+b");
  CHECK(marked(mixed + "{{ x | replace('you', '<me>') }}", vars) == "A[ <s>Hi ]<me>[ ]b");
  CHECK(marked(mixed + "{{ 'X-Y' | replace('-', messages[0].content) }}", vars) ==
        "X[ <s>Hi you ]Y");
  CHECK(marked("{{ messages[0].content | tojson }}", vars) == "[\" <s>Hi you \"]");
  CHECK(marked("{{ messages[0] | tojson }}", vars).starts_with("[{\"]role[\": \"") == false);
  CHECK(marked("{{ {'k': messages[0].content} | tojson }}", vars) == "{\"k\": [\" <s>Hi you \"]}");
  CHECK(marked("{{ [messages[0].content] }}", vars) == "[[' <s>Hi you ']]");
  CHECK(marked("{{ '%s!' % messages[0].content }}", vars) == "[ <s>Hi you ]!");
  CHECK(marked("{{ (messages[0].content ~ '\nx') | indent(1) }}", vars) == "[ <s>Hi you ]\n x");
  CHECK(marked("{{ messages[0].content * 2 }}", user("ab")) == "[abab]");
}

TEST_CASE("the origin of bytes survives macros, set blocks, loops and namespaces") {
  const Json vars = user("<s>");
  CHECK(marked("{% macro m(x) %}({{ x }}){% endmacro %}{{ m(messages[0].content) }}", vars) ==
        "([<s>])");
  CHECK(marked("{% set b %}a{{ messages[0].content }}{% endset %}{{ b | upper }}", vars) ==
        "A[<S>]");
  CHECK(marked("{% for c in messages[0].content %}{{ c }},{% endfor %}", vars) == "[<],[s],[>],");
  CHECK(marked("{% set n = namespace(t='') %}{% for m in messages %}{% set n.t = n.t ~ m.content "
               "~ ';' %}{% endfor %}{{ n.t }}",
               vars) == "[<s>];");
  CHECK(marked("{% filter upper %}a{{ messages[0].content }}{% endfilter %}", vars) == "A[<S>]");
}

TEST_CASE("keys, numbers and whole structures of a user are untrusted too") {
  const Json vars{{"tools", Json::array({Json{{"<s>", 42}}})}};
  CHECK(marked("{{ tools | tojson }}", vars) == "[[{\"<s>\": 42}]]");
  CHECK(marked("{{ tools[0]['<s>'] }}{{ tools[0]['<s>'] + 1 }}", vars) == "[4243]");
  CHECK(marked("{% for k, v in tools[0].items() %}{{ k }}={{ v }}{% endfor %}", vars) ==
        "[<s>]=[42]");
  CHECK(marked("{{ tools | length }}", vars) == "[1]");
  CHECK(marked("{{ tools[0] | string }}", vars) == "[{'<s>': 42}]");
  CHECK(marked("{{ ('[1, \"<s>\"]' | from_json)[1] }}", vars) == "<s>");
  const Json hidden = user(R"({"a": "<s>"})");
  CHECK(marked("{{ (messages[0].content | from_json).a }}", hidden) == "[<s>]");
}

TEST_CASE("a known role is trusted, so that templates can build markers from it") {
  Json vars = user("x");
  CHECK(marked("<|{{ messages[0].role }}|>", vars) == "<|user|>");
  vars["messages"][0]["role"] = "user|><s>";
  CHECK(marked("<|{{ messages[0].role }}|>", vars) == "<|[user|><s>]|>");
}

TEST_CASE("the caller says which variables a user wrote") {
  RenderOptions limits;
  limits.untrusted = {"note"};
  const auto rendered =
      render("{{ messages }}{{ note }}", Json{{"messages", "a"}, {"note", "b"}}, limits);
  REQUIRE(rendered.ok());
  REQUIRE(rendered->spans.size() == 2);
  CHECK(rendered->spans[0].trusted);
  CHECK_FALSE(rendered->spans[1].trusted);
}

TEST_CASE("raise_exception gives exactly its message, and the line as a hint") {
  const aictl::Error raised = error("\n\n{{ raise_exception('Roles must alternate!') }}");
  CHECK(raised.code == ErrorCode::kInvalidArgument);
  CHECK(raised.message == "Roles must alternate!");
  CHECK(raised.hint == "raised by the template at line 3");
}

TEST_CASE("errors name the line of the template") {
  CHECK(error("a\n{{ 1 +").message == "line 2: unexpected end of template, expected an expression");
  CHECK(error("\n\n{% if x %}").message == "line 3: unexpected end of template, expected 'endif'");
  CHECK(error("\n{{ x.y }}").message == "line 2: 'x' is undefined");
  CHECK(error("{{ {}.a.b }}").message == "line 1: 'dict object' has no attribute 'a'");
  CHECK(error("\n{{ 'a' + 1 }}").message ==
        "line 2: can only concatenate str (not \"int\") to str");
  CHECK(error("\n{{ 1 // 0 }}").message == "line 2: integer division or modulo by zero");
  CHECK(error("{{ 'x' | nope }}").message == "line 1: no filter named 'nope'");
  CHECK(error("{{ 'x' is nope }}").message == "line 1: no test named 'nope'");
  CHECK(error("{% frob %}").message == "line 1: unknown tag 'frob'");
  CHECK(error("{{ ) }}").message == "line 1: unexpected ')'");
  CHECK(error("{{ 'abc }}").message == "line 1: unclosed string");
  CHECK(error("{# abc").message == "line 1: missing end of comment tag");
  CHECK(error("{% raw %} abc").message == "line 1: missing end of raw directive");
  CHECK(error("{% break %}").message == "line 1: 'break' outside of a loop");
}

TEST_CASE("what reaches outside the template is refused by name") {
  for (const char* tag :
       {"include 'x'", "import 'x' as y", "from 'x' import y", "extends 'x'", "block x", "do x"}) {
    const aictl::Error refused = error("\n{% " + std::string(tag) + " %}");
    CHECK(refused.code == ErrorCode::kUnsupported);
    CHECK(refused.message.starts_with("line 2: the tag '"));
  }
  CHECK(error("{% for x in [] recursive %}{% endfor %}").code == ErrorCode::kUnsupported);
  CHECK(text("{{ ''.__class__ }}") == "");
  CHECK(error("{{ ''.__class__.__mro__ }}").code == ErrorCode::kDataRefused);
  CHECK(error("{{ {}.clear() }}").message ==
        "line 1: access to attribute 'clear' of 'dict' object is unsafe");
}

TEST_CASE("hostile nesting is an error, not a stack overflow") {
  const int deep = 10'000;
  for (const std::string& source :
       {"{{ " + repeated("(", deep) + "1" + repeated(")", deep) + " }}",
        "{{ " + repeated("[", deep) + repeated("]", deep) + " }}",
        "{{ " + repeated("{1:", deep) + "1" + repeated("}", deep) + " }}",
        "{{ " + repeated("not ", deep) + "1 }}", "{{ " + repeated("-", deep) + "1 }}",
        "{{ 1" + repeated(" + 1", deep) + " }}", "{{ 1" + repeated(" ** 1", deep) + " }}",
        "{{ x" + repeated(".a", deep) + " }}", "{{ x" + repeated("[0]", deep) + " }}",
        "{{ x" + repeated(" | upper", deep) + " }}", "{{ x" + repeated("()", deep) + " }}",
        "{{ 1" + repeated(" if 1 else 1", deep) + " }}", "{{ " + repeated("x(", deep) + " }}",
        "{{ 1" + repeated(" and 1", deep) + " }}", "{{ 1 " + repeated("is in (1,) ", deep) + " }}",
        repeated("{% if 1 %}", deep) + repeated("{% endif %}", deep),
        repeated("{% for x in y %}", deep) + repeated("{% endfor %}", deep),
        repeated("{% macro m() %}", deep) + repeated("{% endmacro %}", deep)}) {
    const auto parsed = Template::parse(source);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().message.starts_with("line 1: "));
  }
  CHECK(text(repeated("{% if 0 %}{% elif 1 %}{% endif %}", 5'000)) == "");
}

TEST_CASE("recursion and deep data are bounded") {
  CHECK(error("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}").code == ErrorCode::kTooLarge);
  CHECK(error("{% macro m(a=m()) %}{% endmacro %}{{ m() }}").code == ErrorCode::kTooLarge);
  const std::string nest =
      "{% set n = namespace(x=[]) %}{% for i in range(1000) %}{% set n.x = [n.x] %}{% endfor %}";
  CHECK(error(nest + "{{ n.x }}").code == ErrorCode::kTooLarge);
  CHECK(error(nest + "{{ n.x | tojson }}").code == ErrorCode::kTooLarge);
  CHECK(error(nest + "{{ n.x == [n.x] }}").code == ErrorCode::kTooLarge);
  CHECK(error("{% set n = namespace() %}{% set n.n = n %}{{ n }}").code == ErrorCode::kTooLarge);
  const std::string twice =
      "{% set n = namespace(x=[1]) %}{% for i in range(100) %}{% set n.x = "
      "[n.x, n.x] %}{% endfor %}";
  CHECK(error(twice + "{{ n.x == [n.x] }}{{ n.x }}").code == ErrorCode::kTooLarge);
  Json deep = 1;
  for (int i = 0; i < 1000; ++i) deep = Json::array({deep});
  CHECK(error("{{ messages }}", Json{{"messages", deep}}).code == ErrorCode::kTooLarge);
}

TEST_CASE("steps and bytes are bounded") {
  RenderOptions limits;
  limits.max_steps = 10'000;
  limits.max_output_bytes = 100'000;
  const std::string loop = "{% for i in range(99999) %}";
  CHECK(error(loop + loop + "{% endfor %}{% endfor %}", {}, limits).code == ErrorCode::kTooLarge);
  CHECK(error("{{ range(100001) | list }}").message.find("range too big") != std::string::npos);
  CHECK(error("{{ 'abc' * 1000000 }}", {}, limits).code == ErrorCode::kTooLarge);
  CHECK(error("{{ [1] * 9223372036854775807 }}").code == ErrorCode::kTooLarge);
  CHECK(error("{{ 'x' * 9223372036854775807 }}").code == ErrorCode::kTooLarge);
  CHECK(error("{% for i in range(2000) %}" + std::string(100, 'x') + "{% endfor %}", {}, limits)
            .message.find("over the limit of 100000 bytes") != std::string::npos);
  const std::string doubling =
      "{% set n = namespace(s='0123456789') %}{% for i in range(99) %}{% set n.s = n.s ";
  CHECK(error(doubling + "~ n.s %}{% endfor %}", {}, limits).code == ErrorCode::kTooLarge);
  CHECK(error(doubling + "+ n.s %}{% endfor %}", {}, limits).code == ErrorCode::kTooLarge);
  CHECK(error(doubling + "| replace('', 'ab') %}{% endfor %}", {}, limits).code ==
        ErrorCode::kTooLarge);
  CHECK(error("{% set l = [1] %}{% for x in l %}{% set _ = l.append(x) %}{% endfor %}", {}, limits)
            .code == ErrorCode::kTooLarge);
  CHECK(error("{{ 'x'.ljust(9223372036854775807) }}").code == ErrorCode::kTooLarge);
  CHECK(error("{{ 'x' | center(99999999999) }}").code == ErrorCode::kTooLarge);
  CHECK(error("{{ '%999999d' % 1 }}", {}, limits).code == ErrorCode::kDataRefused);
  CHECK(error("{{ 2 ** 64 }}").message == "line 1: the result does not fit in 64 bits");
  Options options;
  options.max_source_bytes = 10;
  const auto parsed = Template::parse("12345678901", options);
  REQUIRE_FALSE(parsed.ok());
  CHECK(parsed.error().code == ErrorCode::kTooLarge);
}

TEST_CASE("an undefined value prints nothing, or is an error, as the policy says") {
  Options options;
  CHECK(text("[{{ x }}{{ x | length }}{% for i in x %}{% endfor %}]", {}, options) == "[0]");
  CHECK(text("{{ x.y }}", {}, options) == "error: line 1: 'x' is undefined");
  options.undefined = UndefinedPolicy::kChainable;
  CHECK(text("[{{ x.y['z'].w }}]", {}, options) == "[]");
  options.undefined = UndefinedPolicy::kStrict;
  for (const char* use : {"{{ x }}", "{% if x %}{% endif %}", "{% for i in x %}{% endfor %}",
                          "{{ x == 1 }}", "{{ [x] }}", "{{ x ~ 'a' }}", "{{ x | length }}"})
    CHECK(text(use, {}, options) == "error: line 1: 'x' is undefined");
  CHECK(text("{{ x is defined }}{{ x | default('d') }}", {}, options) == "Falsed");
}

TEST_CASE("the switches of the environment change blanks only") {
  const std::string source = "  {% if true %}\n  a\n  {% endif %}\n";
  Options options;
  CHECK(text(source, {}, options) == "  a\n");
  options.trim_blocks = false;
  CHECK(text(source, {}, options) == "\n  a\n");
  options.lstrip_blocks = false;
  CHECK(text(source, {}, options) == "  \n  a\n  ");
  options.keep_trailing_newline = true;
  CHECK(text(source, {}, options) == "  \n  a\n  \n");
}

TEST_CASE("lists and mappings may be changed within a render, and only there") {
  const auto parsed = Template::parse(
      "{% set _ = messages.append(4) %}{{ messages }}{{ messages.pop(0) }}{{ messages | length }}");
  REQUIRE(parsed.ok());
  const Json vars{{"messages", {1, 2, 3}}};
  for (int i = 0; i < 2; ++i) {
    const auto rendered = parsed->render(vars);
    REQUIRE(rendered.ok());
    CHECK(rendered->text == "[1, 2, 3, 4]13");
  }
}

TEST_CASE("a text that grows in a loop keeps its earlier values") {
  CHECK(text("{% set n = namespace(s='', old='') %}{% for i in range(5) %}{% set n.old = n.s %}{% "
             "set n.s = n.s ~ i %}{{ n.old }}|{{ n.old ~ 'x' }}|{{ n.s }};{% endfor %}") ==
        "|x|0;0|0x|01;01|01x|012;012|012x|0123;0123|0123x|01234;");
}

TEST_CASE("strftime_now prints the given time, as UTC") {
  RenderOptions limits;
  limits.now = 1795305600 + 3 * 3600 + 4 * 60 + 5;
  const auto rendered = render("{{ strftime_now('%d %b %Y %H:%M:%S %A%%') }}", {}, limits);
  REQUIRE(rendered.ok());
  CHECK(rendered->text == "22 Nov 2026 03:04:05 Sunday%");
}
