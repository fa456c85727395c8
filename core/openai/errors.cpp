#include "core/openai/errors.hpp"

#include <fmt/format.h>

namespace aictl::openai {
namespace {

// The word a client's program switches on, where the error says no more than its code.
std::string_view code_word(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kDataRefused:
      return "invalid_value";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kUnsupported:
      return "not_supported";
    case ErrorCode::kUnauthorized:
      return "invalid_api_key";
    case ErrorCode::kForbidden:
      return "model_not_allowed";
    case ErrorCode::kConflict:
      return "already_running";
    case ErrorCode::kTooLarge:
      return "payload_too_large";
    case ErrorCode::kResourceExhausted:
      return "queue_full";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kDeadlineExceeded:
      return "deadline_exceeded";
    case ErrorCode::kCancelled:
      return "client_closed_request";
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      break;
  }
  return "engine_failure";
}

ApiError bad_request(std::string_view param, std::string_view code, std::string message) {
  return {400, "invalid_request_error", std::string(param), std::string(code), std::move(message)};
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

ApiError api_error(const Error& error) {
  const ErrorFaces& face = faces(error.code);
  std::string message = error.message;
  if (!error.hint.empty()) message.append("; ").append(error.hint);
  return {face.http_status, std::string(face.api_type), "", std::string(code_word(error.code)),
          std::move(message)};
}

ApiError invalid_value(std::string_view param, std::string message) {
  return bad_request(param, "invalid_value", std::move(message));
}

ApiError unsupported_value(std::string_view param, std::string message) {
  return bad_request(param, "unsupported_value", std::move(message));
}

ApiError missing(std::string_view param) {
  return bad_request(param, "missing_required_parameter", fmt::format("{} is missing", param));
}

ApiError context_length_exceeded(std::string_view param, int64_t prompt_tokens, int64_t window) {
  return bad_request(param, "context_length_exceeded",
                     fmt::format("the prompt has {} tokens, but the context window is {} tokens "
                                 "and must hold the answer too",
                                 prompt_tokens, window));
}

ApiError model_not_found(std::string_view model, std::string_view hint) {
  std::string message = fmt::format("no model named '{}' is served here", model);
  if (!hint.empty()) message.append("; ").append(hint);
  return {404, "invalid_request_error", "model", "model_not_found", std::move(message)};
}

ApiError unknown_url(std::string_view method, std::string_view path) {
  return {404, "invalid_request_error", "", "unknown_url",
          fmt::format("nothing answers {} {}", method, path)};
}

ApiError invalid_api_key() {
  return {401, "invalid_request_error", "", "invalid_api_key",
          "the API key is missing or wrong; send 'Authorization: Bearer <key>'"};
}

Json error_body(const ApiError& error) {
  return {{"error",
           {{"message", error.message},
            {"type", error.type},
            {"param", text_or_null(error.param)},
            {"code", text_or_null(error.code)}}}};
}

}  // namespace aictl::openai
