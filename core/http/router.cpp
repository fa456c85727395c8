// Route lookup: a hash for the exact paths, a short list for the others.
#include "core/http/router.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace aictl::http {
namespace {

enum class Kind { kLiteral, kParameter, kRest };

Kind kind_of(std::string_view segment) {
  if (!segment.starts_with('{') || !segment.ends_with('}')) return Kind::kLiteral;
  return segment.ends_with("...}") ? Kind::kRest : Kind::kParameter;
}

std::string_view name_of(std::string_view segment) {
  return segment.substr(1, segment.size() - (kind_of(segment) == Kind::kRest ? 5 : 2));
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const size_t end = std::min(path.find('/'), path.size());
    segments.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

// Literals before parameters before rests, judged at the first segment that differs in kind; longer
// patterns first otherwise.
bool more_specific(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (kind_of(a[i]) != kind_of(b[i])) return kind_of(a[i]) < kind_of(b[i]);
  return a.size() > b.size();
}

}  // namespace

std::string_view PathParameters::get(std::string_view name) const {
  for (const auto& [key, value] : values_)
    if (key == name) return value;
  return {};
}

void PathParameters::add(std::string name, std::string value) {
  values_.emplace_back(std::move(name), std::move(value));
}

Router::Router(ErrorRenderer render_error) : render_error_(std::move(render_error)) {
  if (render_error_) return;
  render_error_ = [](int status, std::string_view message, const Request&) {
    return Response::text(status, std::string(message) + "\n");
  };
}

void Router::add(std::string_view method, std::string_view pattern, RouteHandler handler) {
  auto route = std::find_if(routes_.begin(), routes_.end(),
                            [&](const Route& r) { return r.pattern == pattern; });
  if (route == routes_.end()) {
    Route fresh{std::string(pattern), split(pattern), {}};
    const auto place = std::find_if(routes_.begin(), routes_.end(), [&](const Route& r) {
      return more_specific(fresh.segments, r.segments);
    });
    route = routes_.insert(place, std::move(fresh));
    exact_.clear();
    for (size_t i = 0; i < routes_.size(); ++i)
      if (routes_[i].pattern.find('{') == std::string::npos) exact_.emplace(routes_[i].pattern, i);
  }
  std::erase_if(route->methods, [&](const auto& entry) { return entry.first == method; });
  route->methods.emplace_back(std::string(method), std::move(handler));
}

bool Router::match(const Route& route, std::string_view path, PathParameters& parameters) {
  PathParameters found;
  for (const std::string& segment : route.segments) {
    if (!path.starts_with('/')) return false;
    path.remove_prefix(1);
    const Kind kind = kind_of(segment);
    if (kind == Kind::kRest) {
      if (path.empty()) return false;
      found.add(std::string(name_of(segment)), std::string(path));
      path = {};
      break;
    }
    const std::string_view here = path.substr(0, path.find('/'));
    if (kind == Kind::kLiteral && here != segment) return false;
    if (kind == Kind::kParameter) {
      if (here.empty()) return false;
      found.add(std::string(name_of(segment)), std::string(here));
    }
    path.remove_prefix(here.size());
  }
  if (!path.empty()) return false;
  parameters = std::move(found);
  return true;
}

const Router::Route* Router::find(std::string_view path, PathParameters& parameters) const {
  if (const auto exact = exact_.find(std::string(path)); exact != exact_.end())
    return &routes_[exact->second];
  for (const Route& route : routes_)
    if (match(route, path, parameters)) return &route;
  return nullptr;
}

std::string Router::allowed(const Route& route) {
  std::string list = "OPTIONS";
  for (const auto& [method, _] : route.methods) {
    list += ", " + method;
    if (method == "GET") list += ", HEAD";
  }
  return list;
}

std::string_view Router::pattern_of(std::string_view path) const {
  PathParameters ignored;
  const Route* route = find(path, ignored);
  return route != nullptr ? std::string_view(route->pattern) : std::string_view();
}

void Router::operator()(Exchange exchange) const {
  const Request& request = exchange.request();
  if (cors_ && request.headers.has("Origin")) cors_(exchange);
  PathParameters parameters;
  const Route* route = find(request.path, parameters);
  if (route == nullptr)
    return exchange.respond(
        render_error_(404, fmt::format("no such path: {}", request.path.substr(0, 256)), request));
  const std::string_view method =
      request.method == "HEAD" ? "GET" : std::string_view(request.method);
  for (const auto& [name, handler] : route->methods)
    if (name == method || name == request.method) return handler(std::move(exchange), parameters);
  Response response;
  response.status = 204;
  if (method != "OPTIONS")
    response = render_error_(
        405, fmt::format("{} is not allowed on {}", request.method, request.path.substr(0, 256)),
        request);
  response.headers.set("Allow", allowed(*route));
  exchange.respond(std::move(response));
}

}  // namespace aictl::http
