// Ten thousand broken templates: none crashes the reader, none takes a second.
#include <chrono>
#include <random>

#include <doctest/doctest.h>

#include "core/platform/spec/read.hpp"
#include "core/platform/spec/templates.hpp"
#include "core/value/yaml.hpp"

using namespace aictl;
using namespace aictl::platform;

namespace {

constexpr std::string_view kPieces[] = {":",
                                        "- ",
                                        "\n",
                                        "\t",
                                        "{",
                                        "}",
                                        "[",
                                        "]",
                                        "#",
                                        "&a ",
                                        "*a",
                                        "!!str ",
                                        "'",
                                        "\"",
                                        "|",
                                        ">",
                                        "null",
                                        "true",
                                        "-1",
                                        "1e999",
                                        "99999999999999999999",
                                        "0x10",
                                        "\xff",
                                        "\xc3\xa9",
                                        "~",
                                        "---\n",
                                        "name: ",
                                        "models:\n",
                                        "needs: [gateway]",
                                        "sk-abcdefghij0123456789",
                                        "? ",
                                        "<<: ",
                                        "%"};

std::string mutate(std::string text, std::mt19937& random) {
  const auto pick = [&](size_t count) { return size_t(random() % std::max<size_t>(count, 1)); };
  for (size_t i = 0, count = 1 + pick(4); i < count; ++i) {
    const size_t at = pick(text.size());
    switch (pick(6)) {
      case 0:
        text.erase(at, 1 + pick(20));
        break;
      case 1:
        text.insert(at, kPieces[pick(std::size(kPieces))]);
        break;
      case 2:
        if (!text.empty()) text[at] = char(random());
        break;
      case 3:  // a part again
        text.insert(pick(text.size()), text.substr(at, 1 + pick(200)));
        break;
      case 4:
        text.resize(at);
        break;
      default: {  // a line away
        const size_t begin = text.rfind('\n', at), end = text.find('\n', at);
        if (begin != text.npos && end != text.npos && end > begin) text.erase(begin, end - begin);
      }
    }
  }
  return text;
}

}  // namespace

TEST_CASE("spec: ten thousand mutations of the templates are read or refused, each with a place") {
  std::mt19937 random(20240607);
  const auto templates = spec_templates();
  size_t good = 0, bad = 0;
  double slowest = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string text =
        mutate(std::string(templates[random() % templates.size()].text), random);
    const auto begin = std::chrono::steady_clock::now();
    const SpecReading reading = check_platform(text, "x.yaml");
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    slowest = std::max(slowest, taken.count());
    REQUIRE(reading.platform.has_value() == reading.mistakes.empty());
    good += reading.platform.has_value();
    bad += !reading.platform.has_value();
    if (reading.platform) {
      const std::string written = dump_yaml(platform_tree(*reading.platform, false));
      const SpecReading again = check_platform(written, "x.yaml");
      REQUIRE_MESSAGE(again.platform, written);
      REQUIRE(again.platform->digest == reading.platform->digest);
    }
    for (const Mistake& mistake : reading.mistakes) {
      REQUIRE_FALSE(mistake.message.empty());
      REQUIRE_FALSE(mistake.path.empty());
      REQUIRE(mistake.message.size() < 500);
      REQUIRE(mistake.rule.starts_with("spec/"));
    }
  }
  CHECK(slowest < 10);
  CHECK(good > 500);
  CHECK(bad > 2000);
}
