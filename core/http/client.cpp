// The client: a URL taken apart, a request handed to cpp-httplib, its outcome as a Result.
#include "core/http/client.hpp"

#include <fmt/format.h>
#include <httplib.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <utility>

namespace aictl::http {
namespace {

constexpr size_t kMaxUrl = 8192;

struct Origin {
  bool tls = false;
  std::string host;
  int port = 0;
  std::string user;
  std::string password;
  std::string prefix;  // path put in front of every request's
  std::string text;    // "http://host:port", for people
};

Error bad_url(std::string_view why) {
  return {ErrorCode::kInvalidArgument, fmt::format("URL {}", why),
          "write http://host:port or https://host"};
}

// The whole URL is never repeated in an error: it may carry a password.
Result<Origin> parse_url(std::string_view url) {
  Origin origin;
  if (url.starts_with("unix:"))
    return Error{ErrorCode::kUnsupported, "the client does not speak over Unix sockets",
                 "use an http:// address"};
  const size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return bad_url("has no scheme");
  const std::string_view scheme = url.substr(0, scheme_end);
  origin.tls = equals_ignoring_case(scheme, "https");
  if (!origin.tls && !equals_ignoring_case(scheme, "http"))
    return Error{ErrorCode::kUnsupported,
                 fmt::format("scheme '{}' is not supported", scheme.substr(0, 32)),
                 "write http://host:port or https://host"};
  if (url.size() > kMaxUrl) return bad_url("is too long");
  for (const char c : url)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f)
      return bad_url("has a space or a control character");
  url.remove_prefix(scheme_end + 3);
  const size_t path = std::min(url.find('/'), url.size());
  std::string_view authority = url.substr(0, path);
  origin.prefix = url.substr(path);
  if (origin.prefix.find_first_of("?#") != std::string::npos)
    return bad_url("must end with its path");
  while (origin.prefix.ends_with('/')) origin.prefix.pop_back();
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = authority.substr(0, at);
    const size_t colon = std::min(user.find(':'), user.size());
    auto name = percent_decode(user.substr(0, colon));
    auto password = percent_decode(user.substr(std::min(colon + 1, user.size())));
    if (!name || !password) return bad_url("has a malformed user name or password");
    origin.user = std::move(name).value();
    origin.password = std::move(password).value();
    authority.remove_prefix(at + 1);
  }
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  origin.host = has_port ? authority.substr(0, colon) : authority;
  origin.port = origin.tls ? 443 : 80;
  if (has_port) {
    const std::string port(authority.substr(colon + 1));
    if (port.empty() || port.size() > 5 ||
        port.find_first_not_of("0123456789") != std::string::npos || std::stoi(port) < 1 ||
        std::stoi(port) > 65535)
      return bad_url(
          fmt::format("has the port '{}', which is not in 1..65535", port.substr(0, 16)));
    origin.port = std::stoi(port);
  }
  if (origin.host.empty()) return bad_url("has no host");
  origin.text = fmt::format("{}://{}:{}", origin.tls ? "https" : "http", origin.host, origin.port);
  if (origin.host.front() == '[' && origin.host.back() == ']')
    origin.host = origin.host.substr(1, origin.host.size() - 2);
  return origin;
}

// The library writes without MSG_NOSIGNAL; a peer that closes must be an error, not a signal.
class SigpipeBlock {
 public:
  SigpipeBlock() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~SigpipeBlock() {
    const timespec no_wait{};
    if (!was_pending_)
      while (sigtimedwait(&pipe_, nullptr, &no_wait) > 0) {
      }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeBlock(const SigpipeBlock&) = delete;
  SigpipeBlock& operator=(const SigpipeBlock&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

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
