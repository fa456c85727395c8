#include "core/load/drive/target.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace aictl::load {
namespace {

constexpr int kProbeWords = 40;  // of the longer probe; the shorter has a quarter

std::string_view below_text(const Json& tree, const char* key) {
  if (!tree.is_object()) return "";
  const auto found = tree.find(key);
  return found != tree.end() && found->is_string()
             ? std::string_view(found->get_ref<const std::string&>())
             : "";
}

// The URL without what may be secret in it.
std::string public_url(const std::string& url) {
  const size_t scheme = url.find("://"), at = url.rfind('@');
  if (scheme == url.npos || at == url.npos) return url;
  return url.substr(0, scheme + 3) + url.substr(at + 1);
}

Error refused(const http::Response& response, std::string_view what) {
  if (response.status == 401 || response.status == 403)
    return {ErrorCode::kUnauthorized,
            fmt::format("{}: the server answers {}: it wants a key", what, response.status),
            "give one with --api-key-file"};
  std::string why = response.body.substr(0, 200);
  if (auto tree = parse_json(response.body); tree && tree->is_object()) {
    const auto error = tree->find("error");
    if (error != tree->end() && error->is_object())
      if (const auto text = below_text(*error, "message"); !text.empty()) why = text;
  }
  return {ErrorCode::kUnavailable,
          fmt::format("{}: the server answers {}: {}", what, response.status, why), ""};
}

}  // namespace

Result<Target> Target::open(TargetOptions options) {
  http::ClientOptions client_options;
  client_options.read_timeout =
      std::chrono::milliseconds(static_cast<int64_t>(options.timeout * 1e3));
  client_options.verify_tls = options.verify_tls;
  client_options.ca_file = options.ca_file;
  auto client = http::Client::open(options.url, client_options);
  if (!client) return std::move(client).error();
  Target target(std::move(options), std::move(*client));
  if (auto ok = target.read_models(); !ok) return std::move(ok).error();
  return target;
}

http::Headers Target::headers() const {
  http::Headers headers{{"Content-Type", "application/json"}, {"Accept", "text/event-stream"}};
  if (!options_.key.empty()) headers.add("Authorization", "Bearer " + options_.key);
  return headers;
}

Result<void> Target::read_models() {
  auto response = client_.get("/v1/models", headers());
  if (!response) return std::move(response).error();
  if (response->status != 200) return refused(*response, "asking for the models");
  auto tree = parse_json(response->body);
  if (!tree || !tree->is_object() || !tree->contains("data") || !(*tree)["data"].is_array())
    return Error{
        ErrorCode::kDataRefused,
        "what /v1/models answers is no list of models: '" + response->body.substr(0, 80) + "'",
        "is this an OpenAI-compatible server?"};
  Json ids = Json::array();
  for (const Json& one : (*tree)["data"])
    if (const auto id = below_text(one, "id"); !id.empty()) ids.push_back(std::string(id));
  if (options_.model.empty() && !ids.empty()) options_.model = ids[0].get<std::string>();
  if (options_.model.empty())
    return Error{ErrorCode::kNotFound, "the server lists no model", "name one with --model"};
  if (!ids.empty() && std::find(ids.begin(), ids.end(), Json(options_.model)) == ids.end())
    return Error{ErrorCode::kNotFound,
                 fmt::format("the server does not serve '{}'", options_.model),
                 fmt::format("it serves {}", dump_json(ids))};
  facts_ = {{"url", public_url(options_.url)}, {"model", options_.model}, {"models", ids}};
  if (const auto software = response->headers.get("server"))
    facts_["software"] = std::string(*software);
  if (auto version = client_.get("/version", headers()); version && version->status == 200)
    if (auto said = parse_json(version->body))
      if (const auto text = below_text(*said, "version"); !text.empty())
        facts_["version"] = std::string(text);
  return {};
}

std::string Target::body(const Json& prompt, int64_t out_tokens) const {
  Json body = {{"model", options_.model}};
  if (!options_.chat)
    body["prompt"] = prompt;
  else if (prompt.is_array())
    body["messages"] = prompt;
  else
    body["messages"] = Json::array({Json{{"role", "user"}, {"content", prompt}}});
  if (out_tokens > 0) body["max_tokens"] = out_tokens;
  if (options_.ignore_eos && out_tokens > 0) body["ignore_eos"] = true;
  body["temperature"] = 0;
  body["stream"] = true;
  body["stream_options"] = {{"include_usage", true}};
  return dump_json(body);
}

Result<int64_t> Target::count_tokens(const std::string& text) {
  // Two kinds of servers have this, and call the text one thing or the other.
  for (const bool content : {content_form_, !content_form_}) {
    Json body = {{"model", options_.model}};
    body[content ? "content" : "prompt"] = text;
    body[content ? "add_special" : "add_special_tokens"] = false;
    auto response = client_.post("/tokenize", dump_json(body), "application/json", headers());
    if (!response) return std::move(response).error();
    auto tree = parse_json(response->body);
    if (response->status != 200 || !tree || !tree->is_object()) continue;
    content_form_ = content;
    if (const auto count = tree->find("count"); count != tree->end() && count->is_number_integer())
      return count->get<int64_t>();
    if (const auto tokens = tree->find("tokens"); tokens != tree->end() && tokens->is_array())
      return static_cast<int64_t>(tokens->size());
  }
  return Error{ErrorCode::kUnsupported, "the server has no /tokenize", ""};
}

Result<std::optional<int64_t>> Target::prompt_tokens(const std::string& prompt) {
  auto tree = parse_json(body(prompt, 2));
  if (!tree) return std::move(tree).error();
  (*tree)["stream"] = false;
  tree->erase("stream_options");
  auto response = client_.post(path(), dump_json(*tree), "application/json", headers());
  if (!response) return std::move(response).error();
  if (response->status != 200) return refused(*response, "a first request");
  auto answer = parse_json(response->body);
  if (!answer || !answer->is_object() || !answer->contains("usage"))
    return std::optional<int64_t>();
  const Json& usage = (*answer)["usage"];
  if (!usage.is_object() || !usage.contains("prompt_tokens") ||
      !usage["prompt_tokens"].is_number_integer())
    return std::optional<int64_t>();
  return std::optional(usage["prompt_tokens"].get<int64_t>());
}

Result<Lexicon> Target::lexicon() {
  Random random(0);
  auto measured = measure_lexicon([this](const std::string& text) { return count_tokens(text); });
  if (!measured && measured.error().code != ErrorCode::kUnsupported)
    return std::move(measured).error();
  const Lexicon words = measured ? std::move(*measured) : average_lexicon(1, 0);
  const std::string prompt = words.write(random, kProbeWords);
  auto whole = prompt_tokens(prompt);
  if (!whole) return std::move(whole).error();
  if (measured) {
    Lexicon lexicon = words;
    if (*whole) lexicon.overhead = static_cast<double>(**whole - kProbeWords);
    return lexicon;
  }
  auto quarter = prompt_tokens(words.write(random, kProbeWords / 4.0));
  if (!quarter) return std::move(quarter).error();
  if (!*whole || !*quarter || **whole <= **quarter) return average_lexicon(1.3, 0);
  const double cost = static_cast<double>(**whole - **quarter) / (kProbeWords * 0.75);
  return average_lexicon(cost, std::max(0.0, static_cast<double>(**whole) - cost * kProbeWords));
}

}  // namespace aictl::load
