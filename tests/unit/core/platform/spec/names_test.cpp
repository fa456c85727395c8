#include "core/platform/spec/names.hpp"

#include <set>

#include <doctest/doctest.h>

#include "core/platform/spec/digest.hpp"

using namespace aictl::platform;

TEST_CASE("names: a model's name becomes a label that starts with a letter") {
  CHECK(slug("Qwen/Qwen2.5-7B") == "qwen-qwen2-5-7b");
  CHECK(slug("llama-3.2-1b") == "llama-3-2-1b");
  CHECK(slug("7b") == "m-7b");
  CHECK(slug("__A  b__") == "a-b");
  CHECK(is_service_label(slug("日本語"), kWorkloadLength));
  CHECK(slug("日本語") != slug("中文"));
  CHECK(is_service_label(slug(""), kWorkloadLength));
}

TEST_CASE("names: what is too long is cut and told apart by a hash, always the same") {
  const std::string base(200, 'a');
  const std::string one = slug(base + "1"), two = slug(base + "2");
  CHECK(one.size() == kWorkloadLength);
  CHECK(is_service_label(one, kWorkloadLength));
  CHECK(one != two);
  CHECK(one == slug(base + "1"));
  for (size_t length = 50; length < 56; ++length) {
    const std::string label = slug(std::string(length, 'x'));
    CHECK(label.size() == std::min<size_t>(length, kWorkloadLength));
  }
  // A cut at a dash leaves no dash before the hash's own.
  const std::string dashed = slug(std::string(42, 'a') + "-" + std::string(42, 'b'));
  CHECK(is_label(dashed, kWorkloadLength));
  CHECK(dashed.find("--") == std::string::npos);
}

TEST_CASE("names: a derived name keeps its suffix whole and stays in its limit") {
  CHECK(derived_name("qwen", "headless") == "qwen-headless");
  CHECK(derived_name("qwen", "") == "qwen");
  std::set<std::string> seen;
  for (size_t length = 1; length <= 120; ++length)
    for (const char* suffix : {"", "headless", "model-claim", "http"}) {
      const std::string base(length, 'q');
      for (const size_t limit : {kLabelLength, kWorkloadLength, size_t{40}}) {
        const std::string name = derived_name(base, suffix, limit);
        CHECK(name.size() <= limit);
        CHECK(is_label(name, limit));
        CHECK(name.ends_with(suffix));
        if (limit == kLabelLength) CHECK(seen.insert(name).second);
      }
    }
}

TEST_CASE("names: labels and subdomains at their limits") {
  CHECK(is_label(std::string(63, 'a')));
  CHECK_FALSE(is_label(std::string(64, 'a')));
  CHECK_FALSE(is_label("-a"));
  CHECK_FALSE(is_label("a-"));
  CHECK_FALSE(is_label("A"));
  CHECK_FALSE(is_label(""));
  CHECK(is_label("1a"));
  CHECK_FALSE(is_service_label("1a"));
  CHECK(is_subdomain("a.b-c.d"));
  CHECK_FALSE(is_subdomain("a..b"));
  CHECK_FALSE(is_subdomain(".a"));
  CHECK_FALSE(is_subdomain("a."));
  CHECK_FALSE(is_subdomain(std::string(254, 'a')));
}

TEST_CASE("digest: SHA-256 as the standard's example has it") {
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
