// What is asked: synthetic prompts, datasets, traces.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

#include "core/load/workload/workload.hpp"

namespace aictl::load {
namespace {

int64_t words(const std::string& text) { return 1 + std::count(text.begin(), text.end(), ' '); }

Lexicon one_token_words(double overhead = 0) { return average_lexicon(1, overhead); }

TEST_CASE("prompts: a text has as many tokens as wanted, whatever words cost") {
  Lexicon lexicon;
  lexicon.words = {{"one", 1}, {"two", 2}, {"three", 3}};
  Random random(1);
  for (int64_t tokens = 1; tokens < 200; ++tokens) {
    std::map<std::string, int64_t> cost{{"the", 1}, {"one", 1}, {"two", 2}, {"three", 3}};
    std::string text = lexicon.write(random, static_cast<double>(tokens));
    text += ' ';
    int64_t sum = 0;
    for (size_t at = 0; at < text.size();) {
      const size_t end = text.find(' ', at);
      sum += cost[text.substr(at, end - at)];
      at = end + 1;
    }
    CHECK(sum == tokens);
  }
}

TEST_CASE("prompts: words of one token are preferred when there are enough") {
  const auto count = [](const std::string& text) -> Result<int64_t> {
    // As a byte-level vocabulary without long words: four letters a token.
    int64_t tokens = 0, length = 0;
    for (size_t i = 0; i <= text.size(); ++i) {
      if (i < text.size() && text[i] != ' ')
        ++length;
      else
        tokens += (length + 3) / 4, length = 0;
    }
    return tokens;
  };
  const auto lexicon = measure_lexicon(count);
  REQUIRE(lexicon.ok());
  for (const auto& word : lexicon->words) {
    CHECK(word.tokens == 1);
    CHECK(word.text.size() <= 4);
  }
  const auto failing = [](const std::string&) -> Result<int64_t> {
    return Error{ErrorCode::kUnsupported, "no", ""};
  };
  CHECK_FALSE(measure_lexicon(failing).ok());
}

TEST_CASE("workload: the same index asks the same, the template's tokens are taken off") {
  WorkloadOptions options;
  options.in = parse_lengths("100").value();
  options.out = parse_lengths("uniform:10-20").value();
  Workload one(options, one_token_words(12)), other(options, one_token_words(12));
  other.ask(3);
  const Ask ask = one.ask(7);
  CHECK(ask.prompt == other.ask(7).prompt);
  CHECK(ask.prompt != one.ask(8).prompt);
  CHECK(ask.in_tokens == 100);
  CHECK(words(ask.prompt.get<std::string>()) == 88);
  CHECK(ask.out_tokens >= 10);
  CHECK(ask.out_tokens <= 20);
}

TEST_CASE("workload: a part of the prompts begins alike, in groups") {
  WorkloadOptions options;
  options.in = parse_lengths("20").value();
  options.prefix = parse_prefix_share("0.5x50").value();
  options.prefix.groups = 2;
  Workload workload(options, one_token_words());
  std::map<std::string, int> beginnings;
  int shared = 0;
  for (uint64_t i = 0; i < 400; ++i) {
    const Ask ask = workload.ask(i);
    if (ask.in_tokens != 70) continue;
    ++shared;
    ++beginnings[ask.prompt.get<std::string>().substr(0, 100)];
    CHECK(words(ask.prompt.get<std::string>()) == 70);
  }
  CHECK(shared > 150);
  CHECK(shared < 250);
  CHECK(beginnings.size() == 2);
  for (const char* wrong : {"", "0.5", "x5", "2x10", "0.5x0", "0.5xa", "0.5x10y"})
    CHECK_FALSE(parse_prefix_share(wrong).ok());
}

TEST_CASE("workload: equal blocks of a trace are equal text, long requests are clipped") {
  WorkloadOptions options;
  options.max_tokens = 1000;
  std::vector<TraceRow> rows{{0, 700, 10, {5, 6}}, {1, 600, 10, {5, 7}}, {2, 5000, 10, {}}};
  Workload workload(options, one_token_words(), rows);
  const std::string a = workload.ask(0).prompt, b = workload.ask(1).prompt;
  CHECK(words(a) == 700);
  CHECK(words(b) == 600);
  size_t same = 0;
  while (same < b.size() && a[same] == b[same]) ++same;
  CHECK(words(a.substr(0, same)) >= 512);
  CHECK(words(a.substr(0, same)) < 560);
  CHECK(workload.clipped() == 0);
  CHECK(workload.ask(2).in_tokens == 990);
  CHECK(workload.clipped() == 1);
}

TEST_CASE("dataset: ShareGPT's first pair, and the lengths others measure with") {
  auto dataset = parse_dataset(R"([
    {"conversations":[{"from":"human","value":"a b c d e"},{"from":"gpt","value":"f g h i"}]},
    {"conversations":[{"from":"gpt","value":"x"},{"from":"human","value":"one two"},
                      {"from":"gpt","value":"three"}]},
    {"conversations":[]},{"id":"x"}])",
                               "s.json");
  REQUIRE(dataset.ok());
  CHECK(dataset->format == "sharegpt");
  CHECK(dataset->rows.size() == 2);
  CHECK(dataset->skipped == 2);
  CHECK(dataset->rows[1].prompt == "one two");
  const auto count = [](const std::string& text) -> Result<int64_t> { return words(text); };
  REQUIRE(fit_dataset(*dataset, 10, count).ok());
  REQUIRE(dataset->rows.size() == 1);
  CHECK(dataset->rows[0].out_tokens == 4);
  dataset->rows[0].prompt = std::string(1, 'a');
  CHECK_FALSE(fit_dataset(*dataset, 10, count).ok());
}

TEST_CASE("dataset: JSON lines of prompts and of messages") {
  const auto dataset = parse_dataset(
      "{\"prompt\":\"hi\",\"output_len\":9}\n\n"
      "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}\n",
      "d.jsonl");
  REQUIRE(dataset.ok());
  REQUIRE(dataset->rows.size() == 2);
  CHECK(dataset->rows[0].out_tokens == 9);
  CHECK(dataset->rows[1].messages.size() == 1);
  for (const char* wrong : {"", "[]", "[1]", "{\"a\":1}", "{\"prompt\":5}", "{\"prompt\":\"x\"",
                            "{\"prompt\":\"x\",\"output_len\":0}", "7"})
    CHECK(parse_dataset(wrong, "d").error().code == ErrorCode::kDataRefused);
}

}  // namespace
}  // namespace aictl::load
