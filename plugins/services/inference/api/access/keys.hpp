// Who may ask: API keys from a file, and origins a browser may ask from.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/http/exchange.hpp"

namespace aictl::inference {

/// The keys a server takes. None: everybody may ask.
class ApiKeys {
 public:
  /// One key a line; blank lines and lines that begin with # are skipped. Errors: kNotFound, kIo;
  /// kDataRefused when there is no key in it, or one with blanks, by its line.
  static Result<ApiKeys> load(const std::filesystem::path& file);
  /// The same from a text.
  static Result<ApiKeys> parse(std::string_view text);

  bool empty() const { return keys_.empty(); }
  /// Which key it is, for what is counted by asker. Takes the same time whichever fits.
  std::optional<size_t> find(std::string_view key) const;
  /// Who asks with key `index`, in a word that survives a restart with another key file and does
  /// not tell the key.
  std::string tenant(size_t index) const;

 private:
  std::vector<std::string> keys_;
};

/// The key of a request: `Authorization: Bearer <key>`, or else `x-api-key`. Empty without one.
std::string_view sent_key(const http::Request& request);

/// Which web pages may ask. Empty: none. "*" stands for all.
struct CorsPolicy {
  std::vector<std::string> origins;

  bool allows(std::string_view origin) const;
  /// The Access-Control headers, if the request names an allowed origin.
  http::Headers headers_for(const http::Request& request) const;
};

}  // namespace aictl::inference
