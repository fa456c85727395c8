#include "plugins/services/inference/api/api.hpp"

#include <algorithm>
#include <array>
#include <random>

#include <fmt/format.h>

#include "core/http/framing/content_encoding.hpp"
#include "core/openai/response/answer.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/trace.hpp"
#include "plugins/services/inference/api/answer/engine_run.hpp"

namespace aictl::inference {
namespace {

constexpr std::array<std::string_view, 5> kPublicPaths{"/livez", "/readyz", "/health", "/v1/health",
                                                       "/ping"};
constexpr std::string_view kStatusPath = "/v1/status";
constexpr std::array<std::string_view, 3> kGeneratingPaths{"/v1/chat/completions",
                                                           "/v1/completions", "/v1/embeddings"};

uint64_t system_random() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

// An id from a client is given back if it cannot confuse a log or a header.
bool is_sane_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 &&
         std::ranges::all_of(id, [](char c) { return c > ' ' && c < 0x7F; });
}

bool is_json_type(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  return http::equals_ignoring_case(type, "application/json") || type.ends_with("+json");
}

std::string_view code_of(int status) {
  switch (status) {
    case 401:
      return "invalid_api_key";
    case 404:
      return "unknown_url";
    case 405:
      return "method_not_allowed";
    case 408:
      return "request_timeout";
    case 413:
      return "payload_too_large";
    case 415:
      return "unsupported_media_type";
    case 503:
      return "unavailable";
    case 505:
      return "unsupported_value";
    default:
      return status >= 500 ? "engine_failure" : "invalid_value";
  }
}

// The client's own id, its trace's, or none.
std::string sent_id(const http::Headers& headers) {
  const auto id = headers.get("x-request-id");
  if (id && is_sane_id(*id)) return std::string(*id);
  const auto trace = parse_traceparent(headers.get("traceparent").value_or(std::string_view()));
  return trace ? trace->trace_hex() : "";
}

// Every response carries the request's id under the names both families of clients read.
void identify(http::Response& response, const http::Request& request) {
  std::string id = sent_id(request.headers);
  if (id.empty()) id = openai::make_id("req_", system_random(), system_random());
  response.headers.set("x-request-id", id);
  response.headers.set("request-id", std::move(id));
}

}  // namespace

InferenceApi::InferenceApi(ApiOptions options)
    : options_(std::move(options)),
      clock_(options_.clock ? options_.clock : &real_clock_),
      started_(clock_->unix_seconds()),
      router_(render_error),
      random_state_(options_.random_seed ? options_.random_seed : system_random()),
      workers_(options_.workers, options_.waiting_bodies, "api") {
  add_routes();
  add_state_routes();
}

void InferenceApi::open(Served served) {
  served_ = std::move(served);
  metrics_.emplace(served_);
  is_open_.store(true, std::memory_order_release);
}

http::Response InferenceApi::render_error(int status, std::string_view message,
                                          const http::Request& request) {
  openai::ApiError error{status, "invalid_request_error", "", std::string(code_of(status)),
                         std::string(message)};
  if (status == 501) error.type = "not_supported_error", error.code = "not_supported";
  if (status == 503) error.type = "unavailable_error";
  if (status >= 500 && status != 501 && status != 503 && status != 505) error.type = "server_error";
  http::Response response = http::Response::json(status, dump_json(openai::error_body(error)));
  if (status == 505) response.headers.set("x-should-retry", "false");
  identify(response, request);
  return response;
}

void InferenceApi::take_bodies(http::ServerOptions& options) {
  body_limit_ = static_cast<size_t>(options.parser.body_bytes);
  options.decode_bodies = false;
  options.on_head = [this](const http::Request& head) { return judge(head); };
}

void InferenceApi::add_routes() {
  add_post("/v1/chat/completions", &InferenceApi::chat);
  add_post("/v1/completions", &InferenceApi::completions);
  add_post("/v1/embeddings", &InferenceApi::embeddings);
  for (const char* path : {"/tokenize", "/v1/tokenize"}) add_post(path, &InferenceApi::tokenize);
  for (const char* path : {"/detokenize", "/v1/detokenize"})
    add_post(path, &InferenceApi::detokenize);
  for (const char* path : {"/apply-template", "/v1/apply-template"})
    add_post(path, &InferenceApi::apply_template);
}

void InferenceApi::add_post(std::string_view path, BodyHandler handler) {
  router_.add("POST", path, [this, handler](http::Exchange exchange, const auto&) {
    const http::Request& request = exchange.request();
    const auto type = request.headers.get("content-type");
    if (type && !is_json_type(*type))
      return exchange.respond(render_error(
          415, fmt::format("Content-Type '{}' is not application/json", type->substr(0, 64)),
          request));
    const auto key = options_.keys.find(sent_key(request));
    read_body({std::move(exchange), key ? options_.keys.tenant(*key) : ""}, handler);
  });
}

// What is short is worked on here; what is long, or may become so by decoding, by a worker.
void InferenceApi::read_body(Asked asked, BodyHandler handler) {
  http::Body body = asked.exchange.take_body();
  std::string coding = http::content_encoding(asked.exchange.request().headers);
  if (body.bytes.size() <= options_.inline_bytes && (coding.empty() || body.bytes.empty()))
    return parse_and_call(asked, body.bytes, handler);
  // Shared with the task alone: std::function wants to be copyable, the body should not be copied.
  auto kept = std::make_shared<http::Body>(std::move(body));
  http::Exchange exchange = asked.exchange;
  const bool taken = workers_.run([this, asked = std::move(asked), kept, handler, coding] {
    if (!asked.exchange.closed()) decode_and_call(asked, coding, *kept, handler);
  });
  if (!taken)
    respond_error(exchange,
                  openai::api_error(Error{ErrorCode::kResourceExhausted,
                                          "too many long requests wait to be read", ""}),
                  served_.all().empty() ? nullptr : &served_.all().front());
}

void InferenceApi::decode_and_call(const Asked& asked, std::string_view coding, http::Body& body,
                                   BodyHandler handler) {
  if (coding.empty()) return parse_and_call(asked, body.bytes, handler);
  const auto decoded = http::decode_content(coding, body.bytes, body_limit_);
  http::Exchange exchange = asked.exchange;
  if (decoded && !body.lease.resize(body.bytes.size() + decoded->size()))
    return respond_error(
        exchange,
        openai::api_error(Error{ErrorCode::kUnavailable,
                                "the bodies of all requests take too much memory just now", ""}));
  if (decoded) return parse_and_call(asked, *decoded, handler);
  const int status = http::decoding_status(decoded.error());
  exchange.respond(render_error(status, decoded.error().message, exchange.request()));
}

void InferenceApi::parse_and_call(const Asked& asked, std::string_view body, BodyHandler handler) {
  const auto tree = parse_json(body);
  if (tree) return (this->*handler)(asked, *tree);
  http::Exchange exchange = asked.exchange;
  const Error& error = tree.error();
  const bool large = error.code == ErrorCode::kTooLarge;  // JSON, but more than anybody means
  respond_error(exchange,
                openai::invalid_value(
                    "", (large ? "the body's " : "the body is not JSON: ") + error.message));
}

openai::ApiError InferenceApi::loading() {
  openai::ApiError error =
      openai::api_error(Error{ErrorCode::kUnavailable, "the model is loading", ""});
  error.code = "model_loading";
  return error;
}

// The gate, which needs no body: health is public, a browser's question before the question too.
std::optional<openai::ApiError> InferenceApi::refusal(const http::Request& request) const {
  if (request.method == "OPTIONS") return std::nullopt;
  const auto is_in = [&](const auto& paths) {
    return std::ranges::find(paths, request.path) != paths.end();
  };
  if (!options_.keys.empty() && !is_in(kPublicPaths) && !options_.keys.find(sent_key(request)))
    return openai::invalid_api_key();
  if (!is_open_.load(std::memory_order_acquire) && !is_in(kPublicPaths) &&
      request.path != kStatusPath)
    return loading();
  if (request.method != "POST") return std::nullopt;
  // A web page may post without a type without asking first; with JSON's it must ask.
  const auto origin = request.headers.get("origin");
  if (origin && !request.headers.has("content-type") && !options_.cors.allows(*origin))
    return openai::api_error(
        Error{ErrorCode::kForbidden,
              fmt::format("pages of origin '{}' may not ask here", origin->substr(0, 128)), ""});
  if (!draining() || !is_in(kGeneratingPaths)) return std::nullopt;
  openai::ApiError error = openai::api_error(
      Error{ErrorCode::kUnavailable, "the server is draining and takes nothing new", ""});
  error.code = "draining";
  return error;
}

std::optional<http::Response> InferenceApi::judge(const http::Request& request) const {
  const auto error = refusal(request);
  if (!error) return std::nullopt;
  http::Response response =
      http::Response::json(error->status, dump_json(openai::error_body(*error)));
  for (const http::Header& field : options_.cors.headers_for(request))
    response.headers.set(field.name, field.value);
  if (error->status == 401) response.headers.set("WWW-Authenticate", "Bearer");
  if (error->status == 503) {
    response.headers.set("retry-after-ms", "1000");
    response.headers.set("retry-after", "1");
  }
  identify(response, request);
  return response;
}

void InferenceApi::handle(http::Exchange exchange) {
  const http::Request& request = exchange.request();
  // Again for a server that does not ask by the head, and for what began to drain since.
  if (auto refused = judge(request)) return exchange.respond(std::move(*refused));
  std::string id = sent_id(request.headers);
  if (id.empty()) id = openai::make_id("req_", random(), random());
  exchange.set_response_header("x-request-id", id);
  exchange.set_response_header("request-id", std::move(id));
  for (const http::Header& field : options_.cors.headers_for(request))
    exchange.set_response_header(field.name, field.value);
  router_(std::move(exchange));
}

void InferenceApi::on_access(const http::Access& access) {
  const std::string_view route = router_.pattern_of(access.request.path);
  if (is_open_.load(std::memory_order_acquire)) metrics_->answered(route, access);
  if (!log::enabled(log::Level::kDebug)) return;
  log::debug("request", {{"method", access.request.method},
                         {"route", route.empty() ? std::string_view("other") : route},
                         {"status", access.status},
                         {"bytes", access.sent},
                         {"seconds", std::chrono::duration<double>(access.duration).count()}});
}

// splitmix64 over a shared counter: no lock, no two calls alike.
uint64_t InferenceApi::random() {
  uint64_t z = random_state_.fetch_add(0x9E3779B97F4A7C15, std::memory_order_relaxed);
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return z ^ z >> 31;
}

}  // namespace aictl::inference
