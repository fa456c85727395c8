// Reads typed fields out of a JSON object. The first thing wrong is kept and names its field and
// value; after it every call does nothing, so that a parser is a plain list of fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/openai/request/fields.hpp"

namespace aictl::openai {

class Reader {
 public:
  /// `object` must be a JSON object and outlive the reader; `prefix` stands before field names in
  /// errors ("stream_options.").
  explicit Reader(const Json& object, std::string prefix = {})
      : object_(object), prefix_(std::move(prefix)) {}

  // Each leaves `out` alone when the field is absent or null.
  void boolean(std::string_view name, bool& out);
  void integer(std::string_view name, int& out, int64_t min, int64_t max);
  void integer(std::string_view name, std::optional<int>& out, int64_t min, int64_t max);
  void integer(std::string_view name, int64_t& out, int64_t min, int64_t max);
  void number(std::string_view name, float& out, double min, double max);
  void text(std::string_view name, std::string& out);
  /// A string or an array of at most `limit` of them, none empty.
  void texts(std::string_view name, std::vector<std::string>& out, size_t limit,
             bool one_allowed = true);
  /// An array of at most `limit` token ids, each 0..2^31-1.
  void ids(std::string_view name, std::vector<int32_t>& out, size_t limit);
  /// The field if it is an object; nullptr when absent or wrong.
  const Json* object(std::string_view name);
  const Json* array(std::string_view name);
  /// The field, whatever it is; nullptr when absent, or after an error.
  const Json* any(std::string_view name);

  /// Keeps `error` unless there is one already.
  void fail(ApiError error);
  void refuse(std::string_view name, std::string message);
  bool failed() const { return error_.has_value(); }
  std::optional<ApiError> take_error() { return std::move(error_); }
  std::string path(std::string_view name) const { return prefix_ + std::string(name); }

 private:
  std::optional<int64_t> whole(std::string_view name, int64_t min, int64_t max);
  void wrong_type(std::string_view name, const Json& value, std::string_view wanted);

  const Json& object_;
  std::string prefix_;
  std::optional<ApiError> error_;
};

/// The token id in `value`, if it is a whole number 0..2^31-1.
std::optional<int32_t> token_id(const Json& value);

/// The start of a value, for a message.
std::string shown(const Json& value);

}  // namespace aictl::openai
