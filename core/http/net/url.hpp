// The origin a client talks to, taken out of a URL.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace aictl::http {

struct Origin {
  bool tls = false;
  std::string host;  // without the brackets of an IPv6 address
  int port = 0;
  std::string user, password;
  std::string prefix;     // path put in front of every request's; does not end with '/'
  std::string authority;  // "host:port", as the Host field has it
  std::string text;       // "http://host:port", for people
};

/// Takes "http://user:password@host:port/prefix" apart. Errors: kInvalidArgument; kUnsupported for
/// "unix:" and other schemes. They never repeat the whole URL: it may carry a password.
Result<Origin> parse_url(std::string_view url);

}  // namespace aictl::http
