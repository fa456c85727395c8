// The client: a request handed to cpp-httplib, its outcome as a Result.
#include "core/http/client.hpp"

#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <utility>

#include "core/http/net/sigpipe.hpp"
#include "core/http/net/url.hpp"

namespace aictl::http {
namespace {

bool has_break(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos;
}

Headers from_library(const httplib::Headers& fields) {
  Headers headers;
  for (const auto& [name, value] : fields) headers.add(name, value);
  return headers;
}

}  // namespace

struct Client::State {
  Origin origin;
  ClientOptions options;
  std::unique_ptr<httplib::ClientImpl> library;

  Error failure(httplib::Error error, std::string_view what) const;
};

Error Client::State::failure(httplib::Error error, std::string_view what) const {
  ErrorCode code = ErrorCode::kUnavailable;
  std::string hint;
  switch (error) {
    case httplib::Error::Connection:
      hint = "is the server running, and the address right?";
      break;
    case httplib::Error::ConnectionTimeout:
      code = ErrorCode::kDeadlineExceeded;
      break;
    case httplib::Error::Canceled:
      code = ErrorCode::kCancelled;
      break;
    case httplib::Error::SSLServerVerification:
    case httplib::Error::SSLLoadingCerts:
      hint = "the certificate is not one this client trusts";
      break;
    default:
      break;
  }
  std::string reason = httplib::to_string(error);
  std::transform(reason.begin(), reason.end(), reason.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return {code, fmt::format("{}: {}", what, reason), std::move(hint)};
}

Result<Client> Client::open(std::string_view url, ClientOptions options) {
  auto origin = parse_url(url);
  if (!origin) return std::move(origin).error();
  auto state = std::make_unique<State>();
  state->origin = std::move(origin).value();
  state->options = std::move(options);
  const Origin& at = state->origin;
  if (at.tls) {
    auto tls = std::make_unique<httplib::SSLClient>(at.host, at.port);
    tls->enable_server_certificate_verification(state->options.verify_tls);
    if (!state->options.ca_file.empty()) tls->set_ca_cert_path(state->options.ca_file);
    state->library = std::move(tls);
  } else {
    state->library = std::make_unique<httplib::ClientImpl>(at.host, at.port);
  }
  httplib::ClientImpl& library = *state->library;
  library.set_connection_timeout(state->options.connect_timeout);
  library.set_read_timeout(state->options.read_timeout);
  library.set_write_timeout(state->options.write_timeout);
  library.set_keep_alive(true);
  library.set_tcp_nodelay(true);
  library.set_url_encode(false);
  library.set_follow_location(state->options.follow_redirects);
  if (!at.user.empty()) library.set_basic_auth(at.user, at.password);
  return Client(std::move(state));
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Response> Client::get(std::string_view path, const Headers& headers) {
  return send("GET", path, "", headers);
}

Result<Response> Client::post(std::string_view path, std::string body,
                              std::string_view content_type, const Headers& headers) {
  Headers all = headers;
  if (!all.has("Content-Type")) all.add("Content-Type", std::string(content_type));
  return send("POST", path, std::move(body), all);
}

Result<Response> Client::send(std::string_view method, std::string_view path, std::string body,
                              const Headers& headers) {
  std::string kept;
  bool over = false;
  const auto keep = [&](std::string_view bytes) {
    over = bytes.size() > state_->options.body_limit - kept.size();
    if (!over) kept += bytes;
    return !over;
  };
  auto response = stream(method, path, std::move(body), headers, nullptr, keep);
  if (over)
    return Error{
        ErrorCode::kTooLarge,
        fmt::format("{} {}{}: response is longer than {} bytes", method, state_->origin.text,
                    path.substr(0, path.find('?')), state_->options.body_limit),
        ""};
  if (response) response->body = std::move(kept);
  return response;
}

Result<Response> Client::stream(std::string_view method, std::string_view path, std::string body,
                                const Headers& headers, OnHead on_head, OnData on_data) {
  const std::string target = state_->origin.prefix + std::string(path);
  const std::string what =
      fmt::format("{} {}{}", method, state_->origin.text, target.substr(0, target.find('?')));
  if (!is_token(method) || !target.starts_with('/') || has_break(target) ||
      target.find(' ') != target.npos)
    return Error{ErrorCode::kInvalidArgument, "method or path is malformed",
                 "a path begins with '/'"};
  httplib::Request request;
  request.method = method;
  request.path = target;
  request.body = std::move(body);
  for (const Header& field : headers) {
    if (!is_token(field.name) || has_break(field.value))
      return Error{ErrorCode::kInvalidArgument, fmt::format("header '{}' is malformed", field.name),
                   ""};
    request.headers.emplace(field.name, field.value);
  }
  if (on_head)
    request.response_handler = [&](const httplib::Response& head) {
      return on_head(head.status, from_library(head.headers));
    };
  request.content_receiver = [&](const char* data, size_t size, uint64_t, uint64_t) {
    return !on_data || on_data({data, size});
  };
  const SigpipeBlock no_signal;
  const auto begin = std::chrono::steady_clock::now();
  auto result = state_->library->send(request);
  if (!result) {
    Error error = state_->failure(result.error(), what);
    // The library tells a timeout of a read from a lost connection only by the time it took.
    if (result.error() == httplib::Error::Read &&
        std::chrono::steady_clock::now() - begin >= state_->options.read_timeout)
      error.code = ErrorCode::kDeadlineExceeded;
    return error;
  }
  Response response;
  response.status = result->status;
  response.headers = from_library(result->headers);
  return response;
}

void Client::cancel() { state_->library->stop(); }

}  // namespace aictl::http
