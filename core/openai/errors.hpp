// The OpenAI error object, its statuses and codes; and ApiResult, which a request parser returns.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/base/error.hpp"
#include "core/value/json.hpp"

namespace aictl::openai {

/// What a client is told: `{"error":{"message","type","param","code"}}` with an HTTP status.
struct ApiError {
  int status = 500;
  std::string type = "server_error";
  std::string param;  // the field at fault, "messages[2].content"; empty: null on the wire
  std::string code;   // a stable word, "invalid_value"; empty: null on the wire
  std::string message;
};

/// The API's face of an error: status and type from its code's row, the hint behind the message.
ApiError api_error(const Error& error);

/// 400, `invalid_value`: the field is listed, but this value cannot be meant.
ApiError invalid_value(std::string_view param, std::string message);
/// 400, `unsupported_value`: a well-formed wish this server cannot honour.
ApiError unsupported_value(std::string_view param, std::string message);
/// 400, `missing_required_parameter`.
ApiError missing(std::string_view param);
/// 400, `context_length_exceeded`: names both numbers.
ApiError context_length_exceeded(std::string_view param, int64_t prompt_tokens, int64_t window);
/// 404, `model_not_found`; `hint` may name a near one.
ApiError model_not_found(std::string_view model, std::string_view hint = {});
/// 404, `unknown_url`.
ApiError unknown_url(std::string_view method, std::string_view path);
/// 401, `invalid_api_key`.
ApiError invalid_api_key();

/// The body of an error response, or of the last event of a stream that fails.
Json error_body(const ApiError& error);

/// A typed request, or why there is none. Reads like Result.
template <typename T>
class [[nodiscard]] ApiResult {
 public:
  ApiResult(T value) : state_(std::in_place_index<0>, std::move(value)) {}         // NOLINT
  ApiResult(ApiError error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT
  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& operator*() { return std::get<0>(state_); }
  const T& operator*() const { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const ApiError& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, ApiError> state_;
};

}  // namespace aictl::openai
