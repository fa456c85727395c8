#include "core/manifest/cel/cel.hpp"

#include <set>

#include <doctest/doctest.h>

#include "core/manifest/catalog/catalog.hpp"

using aictl::Json;
using aictl::cel::Rule;

namespace {

// "true", "false", or why there is no answer.
std::string answer(std::string_view expression, const Json& self = Json()) {
  const auto rule = Rule::parse(expression);
  if (!rule) return "parse: " + rule.error().message;
  const auto holds = rule->holds(self);
  if (!holds) return holds.error().message;
  return *holds ? "true" : "false";
}

// The rules below a schema that cannot be parsed; `rules` counts all.
void collect_unread(const aictl::manifest::Schema* schema,
                    std::set<const aictl::manifest::Schema*>& seen, std::set<std::string>& unread,
                    int& rules) {
  if (schema == nullptr || !seen.insert(schema).second) return;
  for (const Json& each : schema->validations) {
    ++rules;
    const auto text = each.at("rule").get<std::string>();
    if (!Rule::parse(text)) unread.insert(text);
  }
  for (const auto& property : schema->properties)
    collect_unread(property.schema, seen, unread, rules);
  for (const auto* inner : {schema->additional, schema->items, schema->none_of})
    collect_unread(inner, seen, unread, rules);
  for (const auto* list : {&schema->all_of, &schema->any_of, &schema->one_of})
    for (const auto* inner : *list) collect_unread(inner, seen, unread, rules);
}

Json tree(std::string_view text) { return aictl::parse_json(text).value(); }

}  // namespace

TEST_CASE("cel: literals, operators and their precedence") {
  CHECK(answer("1 + 2 * 3 == 7") == "true");
  CHECK(answer("(1 + 2) * 3 == 9 && !(7 / 2 != 3) && 7 % 4 == 3") == "true");
  CHECK(answer("-2 < 1 && - -2 == 2") == "true");
  CHECK(answer("false ? 1 == 2 : true ? 'a' < 'b' : false") == "true");
  CHECK(answer("0x1f == 31 && 3u == 3 && 1.5e1 == 15 && 2 in [1, 2]") == "true");
  CHECK(answer("'a' in {'a': 1} && {'k': [1]} == {'k': [1.0]}") == "true");
  CHECK(answer(R"('\x41\u00e9\n' == "Aé\n" && r'\d' == "\\d" && '''a'b''' == "a'b")") == "true");
  CHECK(answer("[1] + [2] == [1, 2] && 'ab' + 'c' == 'abc'") == "true");
}

TEST_CASE("cel: fields, has, and names that are escaped") {
  const Json self = tree(R"({"a": {"b": 1}, "namespace": "x", "n": null, "l": []})");
  CHECK(answer("has(self.a) && has(self.a.b) && !has(self.a.c)", self) == "true");
  CHECK(answer("self.__namespace__ == 'x' && self['namespace'] == 'x'", self) == "true");
  CHECK(answer("has(self.l) && size(self.l) == 0 && self.l.size() == 0", self) == "true");
  CHECK(answer("self.missing == 1", self) == "no such key: missing");
  CHECK(answer("self.l[0] == 1", self) == "index 0 out of 0");
  CHECK(answer("self.a.b.c == 1", self) == "a field does not take a int");
}

TEST_CASE("cel: an error is passed over where the other side decides") {
  const Json self = tree(R"({"l": [{"x": 1}, {}]})");
  CHECK(answer("self.nope || true", self) == "true");
  CHECK(answer("self.nope && false", self) == "false");
  CHECK(answer("self.nope || false", self) == "no such key: nope");
  CHECK(answer("self.l.exists(e, e.x == 1)", self) == "true");
  CHECK(answer("self.l.all(e, e.x == 2)", self) == "false");
  CHECK(answer("self.l.all(e, e.x == 1)", self) == "no such key: x");
}

TEST_CASE("cel: quantifiers over lists and the keys of maps") {
  const Json self = tree(R"({"l": [1, 2, 3], "m": {"ab": 1, "cd": 2}})");
  CHECK(answer("self.l.all(i, i > 0) && self.l.exists_one(i, i == 2)", self) == "true");
  CHECK(answer("self.l.filter(i, i > 1).size() == 2", self) == "true");
  CHECK(answer("self.l.map(i, i * 2) == [2, 4, 6]", self) == "true");
  CHECK(answer("self.l.map(i, i > 1, i * 2) == [4, 6]", self) == "true");
  CHECK(answer("self.m.all(k, k.size() == 2)", self) == "true");
  CHECK(answer("self.l.all(i, self.l.exists_one(j, j == i))", self) == "true");
  CHECK(answer("self.l.exists(self, self == 3) && self.l.size() == 3", self) == "true");
}

TEST_CASE("cel: functions of texts, durations and addresses") {
  CHECK(answer("'Ab'.lowerAscii() == 'ab' && 'Ab'.upperAscii() == 'AB'") == "true");
  CHECK(answer("'a.b.c'.split('.') == ['a', 'b', 'c'] && ''.split(',') == ['']") == "true");
  CHECK(answer("'héllo'.substring(1, 2) == 'é' && 'héllo'.size() == 5") == "true");
  CHECK(answer("'abc'.matches('^a.c$') && !'abc\\n'.matches('^abc$')") == "true");
  CHECK(answer("duration('1h30m') > duration('89m') && duration('-1.5s') < duration('0')") ==
        "true");
  CHECK(answer("duration('1x') > duration('0')") == "'1x' is no duration");
  CHECK(answer("isIP('::1') && !isIP('a.b')") == "true");
}

TEST_CASE("cel: what cannot be read or takes too long says so") {
  CHECK(answer("1 +") == "parse: column 4: unexpected end");
  CHECK(answer("'abc") == "parse: column 5: a text without its closing quote");
  CHECK(answer("nosuch(1)").starts_with("parse: column 10: no function nosuch"));
  CHECK(answer(std::string(500, '(')).find("levels deep") != std::string::npos);
  CHECK(answer("1 / 0 == 1") == "integer overflow or division by zero");
  CHECK(answer("9223372036854775807 + 1 > 0") == "integer overflow or division by zero");
  CHECK(answer("1 + 1") == "it gives a int, not a bool");
  Json many = Json::array();
  for (int i = 0; i < 2000; ++i) many.push_back(i);
  const auto rule = Rule::parse("self.all(i, self.exists(j, j == i))");
  REQUIRE(rule.ok());
  CHECK(rule->holds(many, {.steps = 10'000}).error().code == aictl::ErrorCode::kTooLarge);
}

TEST_CASE("cel: a rule about updates is told by what it mentions") {
  CHECK(Rule::parse("self == oldSelf")->mentions("oldSelf"));
  CHECK_FALSE(Rule::parse("self.oldSelf == 'oldSelf'")->mentions("oldSelf"));
}

TEST_CASE("cel: every rule of the schemas is read, save one that asks for named formats") {
  std::set<const aictl::manifest::Schema*> seen;
  std::set<std::string> unread;
  int rules = 0;
  const auto& catalog = aictl::manifest::Catalog::builtin();
  for (const auto* kind : catalog.kinds())
    collect_unread(catalog.find(kind->api_version, kind->name)->schema, seen, unread, rules);
  CHECK(rules > 300);
  CHECK(unread ==
        std::set<std::string>{"size(self) == 0 || format.dns1123Label().validate(self) == null"});
}
