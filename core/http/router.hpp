// Paths to handlers: exact ones, ones with parameters, ones with a rest. Unknown paths get 404,
// known ones with another method 405 with Allow.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/http/exchange.hpp"

namespace aictl::http {

/// What the braces of a pattern matched, decoded.
class PathParameters {
 public:
  /// Empty when the pattern has no such parameter.
  std::string_view get(std::string_view name) const;
  void add(std::string name, std::string value);

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

using RouteHandler = std::function<void(Exchange, const PathParameters&)>;

/// Filled once, then shared by all loops: const methods are callable from any thread.
class Router {
 public:
  explicit Router(ErrorRenderer render_error = {});

  /// Adds a route. Pattern: "/v1/models", "/v1/models/{id}" (one segment) or "/v1/models/{id...}"
  /// (the rest, not empty, slashes included). Literal segments win over parameters, those over
  /// rests. GET serves HEAD too. Adding a method and pattern twice replaces the handler.
  void add(std::string_view method, std::string_view pattern, RouteHandler handler);

  /// Called for each request that has an Origin header, before its route: it may set response
  /// headers (Access-Control-...) on the exchange. Without it no such header is ever sent: CORS is
  /// closed.
  void set_cors(std::function<void(Exchange&)> hook) { cors_ = std::move(hook); }

  /// Finds the route and runs it, or answers: 404, 405 with Allow, or 204 with Allow to OPTIONS.
  void operator()(Exchange exchange) const;

  /// The pattern that serves `path` ("/v1/models/{id}"), for metrics: few values whatever clients
  /// send. Empty when none does.
  std::string_view pattern_of(std::string_view path) const;

 private:
  struct Route {
    std::string pattern;
    std::vector<std::string> segments;
    std::vector<std::pair<std::string, RouteHandler>> methods;
  };

  const Route* find(std::string_view path, PathParameters& parameters) const;
  static bool match(const Route& route, std::string_view path, PathParameters& parameters);
  static std::string allowed(const Route& route);

  ErrorRenderer render_error_;
  std::function<void(Exchange&)> cors_;
  std::vector<Route> routes_;                      // the most specific first
  std::unordered_map<std::string, size_t> exact_;  // pattern without parameters -> index
};

}  // namespace aictl::http
