#include <doctest/doctest.h>

#include <algorithm>

#include "plugins/services/inference/text/detokenizer.hpp"
#include "plugins/services/inference/text/stop_matcher.hpp"
#include "tests/unit/plugins/inference/text/small_vocabs.hpp"

namespace aictl {
namespace {

using namespace text_test;

constexpr int32_t kFirstByte = 3;  // of spm_vocab

std::vector<int32_t> byte_ids(std::string_view bytes) {
  std::vector<int32_t> ids;
  for (const char c : bytes) ids.push_back(kFirstByte + static_cast<unsigned char>(c));
  return ids;
}

// What a whole text becomes, found by looking at every place.
struct Stopped {
  std::string text;
  std::optional<size_t> stop;
  bool operator==(const Stopped&) const = default;
};

Stopped stop_oracle(const std::string& text, const std::vector<std::string>& stops, bool include) {
  for (size_t end = 1; end <= text.size(); ++end) {
    std::optional<size_t> best;
    for (size_t i = 0; i < stops.size(); ++i)
      if (std::string_view(text).substr(0, end).ends_with(stops[i]) &&
          (!best || stops[i].size() > stops[*best].size()))
        best = i;
    if (best) return {text.substr(0, include ? end : end - stops[*best].size()), best};
  }
  return {text, std::nullopt};
}

Stopped stop_in_chunks(const std::string& text, const std::vector<std::string>& stops, bool include,
                       std::mt19937& random) {
  auto matcher = StopMatcher::make(stops, include).value();
  Stopped result;
  for (size_t at = 0; at < text.size();) {
    const size_t length = 1 + random() % 5;
    matcher.push(std::string_view(text).substr(at, length), result.text);
    at += length;
  }
  matcher.flush(result.text);
  result.stop = matcher.stopped();
  return result;
}

}  // namespace

TEST_CASE("detokenizer: bytes of an unfinished character wait for the rest") {
  const Tokenizer tokenizer = spm_vocab({}).tokenizer();
  Detokenizer stream(tokenizer);
  std::string out;
  const auto ids = byte_ids("\xF0\x9F\x98\x80!");
  for (size_t i = 0; i < 3; ++i) {
    stream.push(ids[i], out);
    CHECK(out.empty());
    CHECK(stream.pending() == i + 1);
  }
  stream.push(ids[3], out);
  CHECK(out == "\xF0\x9F\x98\x80");
  CHECK(stream.pending() == 0);
  stream.push(ids[4], out);
  CHECK(out == "\xF0\x9F\x98\x80!");
}

TEST_CASE("detokenizer: bytes that are no UTF-8 become U+FFFD, at the end at the latest") {
  const Tokenizer tokenizer = spm_vocab({}).tokenizer();
  CHECK(detokenize(tokenizer, byte_ids("a\xFF"
                                       "b")) ==
        "a\xEF\xBF\xBD"
        "b");
  CHECK(detokenize(tokenizer, byte_ids("\xC3(")) == "\xEF\xBF\xBD(");
  CHECK(detokenize(tokenizer, byte_ids("\xC3")) == "\xEF\xBF\xBD");
}

TEST_CASE("detokenizer: a stream is the sanitized text of all bytes, however tokens cut them") {
  std::mt19937 random(21);
  for (int round = 0; round < 500; ++round) {
    std::string bytes = random_utf8(random, 12);
    for (char& c : bytes)
      if (random() % 5 == 0) c = static_cast<char>(random());
    SmallVocab small;
    small.model = "gpt2";
    std::vector<int32_t> ids;
    for (std::string_view rest = bytes; !rest.empty();) {
      const size_t length = std::min<size_t>(rest.size(), 1 + random() % 6);
      ids.push_back(small.add(mapped(rest.substr(0, length))));
      rest.remove_prefix(length);
    }
    if (ids.empty()) continue;
    const Tokenizer tokenizer = small.tokenizer();
    Detokenizer stream(tokenizer);
    std::string out;
    for (const int32_t id : ids) {
      stream.push(id, out);
      CHECK(utf8::is_valid(out));
      CHECK(stream.pending() <= 3);
    }
    stream.flush(out);
    CHECK(out == utf8::sanitize(bytes));
  }
}

TEST_CASE("detokenizer: control tokens print as nothing unless asked for") {
  const Tokenizer tokenizer = chat_vocab().tokenizer();
  const auto ids = tokenizer.encode("<|start|>hello<tool><|end|>", {.parse_special = true}).value();
  CHECK(detokenize(tokenizer, ids) == "hello<tool>");
  CHECK(detokenize(tokenizer, ids, {.show_control = true}) == "<|start|>hello<tool><|end|>");
}

TEST_CASE(
    "detokenizer: SPM's first space is stripped at the start of a text, not in a continuation") {
  const std::string space = "\xE2\x96\x81";
  const Tokenizer tokenizer = spm_vocab({space + "a", space + space + "b"}).tokenizer();
  const int32_t a = tokenizer.vocab().find(space + "a"),
                b = tokenizer.vocab().find(space + space + "b");
  const std::vector<int32_t> ids = {1, a, a};
  CHECK(detokenize(tokenizer, ids, {.at_text_start = true}) == "a a");
  CHECK(detokenize(tokenizer, ids) == " a a");
  CHECK(detokenize(tokenizer, std::vector<int32_t>{b}, {.at_text_start = true}) == " b");
}

TEST_CASE("detokenizer: ids that are no token add nothing") {
  const Tokenizer tokenizer = chat_vocab().tokenizer();
  CHECK(detokenize(tokenizer, std::vector<int32_t>{-1, 1 << 30, tokenizer.vocab().size()}).empty());
  CHECK(token_text(tokenizer, -5).bytes.empty());
}

TEST_CASE("detokenizer: a token by itself has text and bytes") {
  const Tokenizer tokenizer = spm_vocab({"\xE2\x96\x81"
                                         "a"})
                                  .tokenizer();
  const TokenText word = token_text(tokenizer, tokenizer.vocab().find("\xE2\x96\x81"
                                                                      "a"));
  CHECK(word.text == " a");
  const TokenText byte = token_text(tokenizer, kFirstByte + 0xE2);
  CHECK(byte.text == "\xEF\xBF\xBD");
  CHECK(byte.bytes == "\xE2");
  CHECK(token_text(tokenizer, 1).text == "<s>");
}

TEST_CASE("stop strings: text that may begin one is held back, and let go when it does not") {
  auto matcher = StopMatcher::make(std::vector<std::string>{"###", "\nUser:"}).value();
  std::string out;
  CHECK_FALSE(matcher.push("Hi #", out));
  CHECK(out == "Hi ");
  CHECK(matcher.held() == 1);
  CHECK_FALSE(matcher.push("1\nUs", out));
  CHECK(out == "Hi #1");
  CHECK(matcher.push("er: more", out) == 1);
  CHECK(out == "Hi #1");
  CHECK(matcher.push("###", out) == 1);
  matcher.flush(out);
  CHECK(out == "Hi #1");
}

TEST_CASE("stop strings: what waits at the end of the stream is part of the text") {
  auto matcher = StopMatcher::make(std::vector<std::string>{"stop"}).value();
  std::string out;
  matcher.push("a sto", out);
  CHECK(out == "a ");
  matcher.flush(out);
  CHECK(out == "a sto");
  CHECK_FALSE(matcher.stopped());
}

TEST_CASE("stop strings: the stop string itself is kept when asked for") {
  auto matcher = StopMatcher::make(std::vector<std::string>{"END"}, true).value();
  std::string out;
  CHECK(matcher.push("the END of", out) == 0);
  CHECK(out == "the END");
}

TEST_CASE("stop strings: any chunking gives what the whole text gives") {
  std::mt19937 random(22);
  const std::vector<std::string> letters = {"a", "b", "c"};
  for (int round = 0; round < 5000; ++round) {
    std::vector<std::string> stops;
    for (size_t n = random() % 4; n > 0; --n)
      stops.push_back("a" + random_text(random, letters, 4));
    const std::string text = random_text(random, letters, 30);
    const bool include = random() % 2 == 0;
    CAPTURE(text);
    CHECK(stop_in_chunks(text, stops, include, random) == stop_oracle(text, stops, include));
  }
}

TEST_CASE("stop strings: empty ones and too many are refused") {
  const auto code = [](const std::vector<std::string>& stops) {
    return StopMatcher::make(stops).error().code;
  };
  CHECK(code({"a", ""}) == ErrorCode::kInvalidArgument);
  CHECK(code(std::vector<std::string>(65, "a")) == ErrorCode::kInvalidArgument);
  CHECK(code({std::string((64 << 10) + 1, 'a')}) == ErrorCode::kInvalidArgument);
  CHECK(StopMatcher::make(std::vector<std::string>(64, "a")).ok());
}

}  // namespace aictl
