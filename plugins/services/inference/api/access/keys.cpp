#include "plugins/services/inference/api/access/keys.hpp"

#include <xxhash.h>

#include <algorithm>

#include <fmt/format.h>

#include "core/base/file.hpp"

namespace aictl::inference {
namespace {

constexpr size_t kMaxKeyFile = size_t{1} << 20;

// Compares in a time that depends on the length of `sent` alone.
bool same(std::string_view sent, std::string_view key) {
  unsigned difference = sent.size() == key.size() ? 0 : 1;
  for (size_t i = 0; i < sent.size(); ++i) {
    const char other = key.empty() ? '\0' : key[i % key.size()];
    difference |= static_cast<unsigned char>(sent[i]) ^ static_cast<unsigned char>(other);
  }
  return difference == 0;
}

std::string_view stripped(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; });
}

}  // namespace

Result<ApiKeys> ApiKeys::load(const std::filesystem::path& file) {
  auto text = read_file(file, kMaxKeyFile);
  if (!text) return std::move(text).error().within("reading API keys");
  auto keys = parse(*text);
  if (!keys) return std::move(keys).error().within(file.string());
  return keys;
}

Result<ApiKeys> ApiKeys::parse(std::string_view text) {
  ApiKeys keys;
  for (size_t line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view key = stripped(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (key.empty() || key.front() == '#') continue;
    // The key itself stays out of the message: it is a secret.
    if (!is_visible(key))
      return Error{ErrorCode::kDataRefused,
                   fmt::format("line {}: a key holds a blank or a byte that is not ASCII", line),
                   "write one key a line"};
    keys.keys_.emplace_back(key);
  }
  if (keys.keys_.empty())
    return Error{ErrorCode::kDataRefused, "there is no key in it", "write one key a line"};
  return keys;
}

std::optional<size_t> ApiKeys::find(std::string_view key) const {
  std::optional<size_t> found;
  for (size_t i = 0; i < keys_.size(); ++i)
    if (same(key, keys_[i])) found = i;
  return found;
}

std::string ApiKeys::tenant(size_t index) const {
  const std::string& key = keys_.at(index);
  return fmt::format("key-{:016x}", XXH3_64bits(key.data(), key.size()));
}

std::string_view sent_key(const http::Request& request) {
  constexpr std::string_view kBearer = "Bearer ";
  if (const auto value = request.headers.get("authorization")) {
    if (value->size() > kBearer.size() &&
        http::equals_ignoring_case(value->substr(0, kBearer.size()), kBearer))
      return stripped(value->substr(kBearer.size()));
  }
  return request.headers.get("x-api-key").value_or(std::string_view());
}

bool CorsPolicy::allows(std::string_view origin) const {
  return std::ranges::any_of(
      origins, [&](const std::string& allowed) { return allowed == "*" || allowed == origin; });
}

http::Headers CorsPolicy::headers_for(const http::Request& request) const {
  http::Headers headers;
  const auto origin = request.headers.get("origin");
  if (!origin || !allows(*origin)) return headers;
  headers.set("Access-Control-Allow-Origin", std::string(*origin));
  headers.set("Vary", "Origin");
  headers.set("Access-Control-Expose-Headers",
              "x-request-id, request-id, retry-after-ms, x-aictl-seed, "
              "x-aictl-response-id, x-aictl-model, x-aictl-cache, x-aictl-queue-ms");
  if (request.method != "OPTIONS") return headers;
  headers.set("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS");
  // The clients' x-stainless-* headers are many: those that are asked for are allowed.
  const auto asked = request.headers.get("access-control-request-headers");
  headers.set("Access-Control-Allow-Headers",
              asked ? std::string(*asked) : std::string("authorization, content-type, x-api-key"));
  headers.set("Access-Control-Max-Age", "600");
  return headers;
}

}  // namespace aictl::inference
