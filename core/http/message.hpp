// What an HTTP exchange is made of, as plain data: headers, request, response; and the small rules
// that every part of the room needs (tokens, percent decoding, status texts, dates).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace aictl::http {

struct Header {
  std::string name;
  std::string value;
};

/// Header fields in the order they came; names compare without regard to case.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<Header> fields) : fields_(fields) {}

  void add(std::string name, std::string value);
  /// Replaces every field of that name by one.
  void set(std::string_view name, std::string value);
  void remove(std::string_view name);
  /// The first value under `name`; nullopt when there is none. Valid until the headers change.
  std::optional<std::string_view> get(std::string_view name) const;
  bool has(std::string_view name) const { return get(name).has_value(); }
  /// Whether a comma-separated list under `name` (any of its fields) holds `token`, in any case.
  bool has_token(std::string_view name, std::string_view token) const;

  size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<Header> fields_;
};

struct Request {
  std::string method;     // as sent: methods are case-sensitive
  std::string target;     // as sent: "/v1/models?x=1", "http://host/path", "*"
  std::string path;       // percent-decoded, without the query; "*" for the asterisk form
  std::string query;      // as sent, without '?'
  int minor_version = 1;  // of HTTP/1.x: 0 or 1
  Headers headers;
  std::string body;        // without chunk framing; decoded when the server decodes bodies
  std::string peer;        // "127.0.0.1:53210", "[::1]:53210" or "unix"
  bool keep_alive = true;  // what the client asks for, after the rules of its version
  bool secure = false;     // came over TLS
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;

  /// A response with a JSON body.
  static Response json(int status, std::string body);
  /// A response with a plain text body.
  static Response text(int status, std::string body);
};

/// Makes the body of an error that the server or the router answers by itself (400, 404, 405, 408,
/// 413, 431, 500, 503 ...), such as OpenAI's error object. `request` is as much of it as was read:
/// all of its fields may be empty. Called on loop threads.
using ErrorRenderer =
    std::function<Response(int status, std::string_view message, const Request& request)>;

/// The reason phrase of `status`; "Unknown" for one without.
std::string_view reason_phrase(int status);

bool equals_ignoring_case(std::string_view a, std::string_view b);

/// Whether `c` may stand in a token (method, header name) of RFC 9110.
bool is_token_char(unsigned char c);
bool is_token(std::string_view text);

/// Decodes %XX ('+' stays as it is). Errors: kInvalidArgument on a cut-off or non-hex escape and on
/// %00.
Result<std::string> percent_decode(std::string_view text);

/// Encodes everything but unreserved characters and those in `keep`.
std::string percent_encode(std::string_view text, std::string_view keep = "");

/// The decoded value of the first `name` in a query ("a=1&b=x%20y"; '+' is a space). nullopt when
/// it is not there or not decodable.
std::optional<std::string> query_parameter(std::string_view query, std::string_view name);

/// An IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT".
std::string format_date(int64_t unix_seconds);

}  // namespace aictl::http
