#include "plugins/services/inference/api/api.hpp"

#include <algorithm>
#include <array>
#include <random>

#include <fmt/format.h>

#include "core/openai/response/answer.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/trace.hpp"
#include "plugins/services/inference/api/answer/engine_run.hpp"

namespace aictl::inference {
namespace {

constexpr std::array<std::string_view, 5> kPublicPaths{"/livez", "/readyz", "/health", "/v1/health",
                                                       "/ping"};

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
    default:
      return status >= 500 ? "engine_failure" : "invalid_value";
  }
}

openai::ApiError draining_error() {
  openai::ApiError error = openai::api_error(
      Error{ErrorCode::kUnavailable, "the server is draining and takes nothing new", ""});
  error.code = "draining";
  return error;
}

}  // namespace

InferenceApi::InferenceApi(Served served, ApiOptions options)
    : served_(std::move(served)),
      options_(std::move(options)),
      clock_(options_.clock ? options_.clock : &real_clock_),
      started_(clock_->unix_seconds()),
      metrics_(served_),
      router_(render_error),
      random_state_(options_.random_seed ? options_.random_seed : system_random()),
      workers_(options_.workers, options_.waiting_bodies, "api") {
  add_routes();
  add_state_routes();
}

http::Response InferenceApi::render_error(int status, std::string_view message) {
  openai::ApiError error{status, "invalid_request_error", "", std::string(code_of(status)),
                         std::string(message)};
  if (status == 501) error.type = "not_supported_error", error.code = "not_supported";
  if (status == 503) error.type = "unavailable_error";
  if (status >= 500 && status != 501 && status != 503) error.type = "server_error";
  return http::Response::json(status, dump_json(openai::error_body(error)));
}

void InferenceApi::add_routes() {
  add_post("/v1/chat/completions", &InferenceApi::chat, true);
  add_post("/v1/completions", &InferenceApi::completions, true);
  add_post("/v1/embeddings", &InferenceApi::embeddings, true);
  for (const char* path : {"/tokenize", "/v1/tokenize"})
    add_post(path, &InferenceApi::tokenize, false);
  for (const char* path : {"/detokenize", "/v1/detokenize"})
    add_post(path, &InferenceApi::detokenize, false);
  for (const char* path : {"/apply-template", "/v1/apply-template"})
    add_post(path, &InferenceApi::apply_template, false);
}

void InferenceApi::add_post(std::string_view path, BodyHandler handler, bool generates) {
  router_.add("POST", path, [this, handler, generates](http::Exchange exchange, const auto&) {
    if (generates && draining()) return respond_error(exchange, draining_error());
    const auto type = exchange.request().headers.get("content-type");
    if (type && !is_json_type(*type))
      return exchange.respond(render_error(
          415, fmt::format("Content-Type '{}' is not application/json", type->substr(0, 64))));
    const auto key = options_.keys.find(sent_key(exchange.request()));
    read_body({std::move(exchange), key ? fmt::format("key-{}", *key) : ""}, handler);
  });
}

void InferenceApi::read_body(Asked asked, BodyHandler handler) {
  std::string body = asked.exchange.take_body();
  if (body.size() <= options_.inline_bytes) return parse_and_call(asked, body, handler);
  // Shared with the task alone: std::function wants to be copyable, the body should not be copied.
  auto kept = std::make_shared<const std::string>(std::move(body));
  http::Exchange exchange = asked.exchange;
  const bool taken = workers_.run([this, asked = std::move(asked), kept, handler] {
    if (!asked.exchange.closed()) parse_and_call(asked, *kept, handler);
  });
  if (!taken)
    respond_error(exchange,
                  openai::api_error(Error{ErrorCode::kResourceExhausted,
                                          "too many long requests wait to be read", ""}),
                  served_.all().empty() ? nullptr : &served_.all().front());
}

void InferenceApi::parse_and_call(const Asked& asked, std::string_view body, BodyHandler handler) {
  const auto tree = parse_json(body);
  if (tree) return (this->*handler)(asked, *tree);
  http::Exchange exchange = asked.exchange;
  respond_error(exchange,
                openai::invalid_value("", "the body is not JSON: " + tree.error().message));
}

// Every response carries the request's id under the names both families of clients read.
void InferenceApi::identify(http::Exchange& exchange) {
  const http::Headers& headers = exchange.request().headers;
  std::string id(headers.get("x-request-id").value_or(std::string_view()));
  if (!is_sane_id(id)) {
    const auto trace = parse_traceparent(headers.get("traceparent").value_or(std::string_view()));
    id = trace ? trace->trace_hex() : openai::make_id("req_", random(), random());
  }
  exchange.set_response_header("x-request-id", id);
  exchange.set_response_header("request-id", std::move(id));
}

// The gate: health is public, a browser's question before the question too.
bool InferenceApi::admit(http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  if (options_.keys.empty() || request.method == "OPTIONS") return true;
  if (std::ranges::find(kPublicPaths, request.path) != kPublicPaths.end()) return true;
  if (options_.keys.find(sent_key(request))) return true;
  respond_error(exchange, openai::invalid_api_key());
  return false;
}

void InferenceApi::handle(http::Exchange exchange) {
  identify(exchange);
  options_.cors.apply(exchange);
  if (admit(exchange)) router_(std::move(exchange));
}

void InferenceApi::on_access(const http::Access& access) {
  const std::string_view route = router_.pattern_of(access.request.path);
  metrics_.answered(route, access);
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
