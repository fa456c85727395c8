// Plain sockets with deadlines.
#include "tests/unit/core/http/raw_client.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <thread>

namespace aictl::http::test {

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

ServerOptions free_port() {
  ServerOptions options;
  options.addresses = {"127.0.0.1:0"};
  return options;
}

std::unique_ptr<Server> serve(Handler handler, ServerOptions options) {
  if (options.addresses == ServerOptions().addresses) options.addresses = {"127.0.0.1:0"};
  auto server = Server::start(std::move(options), std::move(handler));
  REQUIRE_MESSAGE(server.ok(), (server.ok() ? "" : server.error().message));
  return std::move(server).value();
}

std::string get(std::string_view path, std::string_view more) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(more) + "\r\n";
}

RawClient::RawClient(const std::string& address, int receive_buffer) {
  sockaddr_storage storage{};
  socklen_t length = 0;
  if (address.starts_with("unix:")) {
    auto* to = reinterpret_cast<sockaddr_un*>(&storage);
    to->sun_family = AF_UNIX;
    std::strncpy(to->sun_path, address.c_str() + 5, sizeof to->sun_path - 1);
    length = sizeof *to;
  } else {
    const size_t colon = address.rfind(':');
    const auto port = htons(static_cast<uint16_t>(std::stoi(address.substr(colon + 1))));
    if (address.front() == '[') {
      auto* to = reinterpret_cast<sockaddr_in6*>(&storage);
      to->sin6_family = AF_INET6;
      to->sin6_port = port;
      to->sin6_addr = in6addr_loopback;
      length = sizeof *to;
    } else {
      auto* to = reinterpret_cast<sockaddr_in*>(&storage);
      to->sin_family = AF_INET;
      to->sin_port = port;
      to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      length = sizeof *to;
    }
  }
  fd_ = Fd(socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (receive_buffer > 0)
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  if (connect(fd_.get(), reinterpret_cast<sockaddr*>(&storage), length) != 0) fd_ = Fd();
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool RawClient::read_more(std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  pollfd watched{fd_.get(), POLLIN, 0};
  if (ended_ || left.count() <= 0 || poll(&watched, 1, static_cast<int>(left.count())) <= 0)
    return false;
  char block[65536];
  const ssize_t got = recv(fd_.get(), block, sizeof block, 0);
  if (got <= 0) {
    ended_ = true;
    return false;
  }
  buffer_.append(block, static_cast<size_t>(got));
  return true;
}

bool RawClient::read_until(std::string_view text, std::chrono::milliseconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (buffer_.find(text) == std::string::npos)
    if (!read_more(end)) return false;
  return true;
}

std::optional<Reply> RawClient::reply(bool head_only, std::chrono::milliseconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  if (!read_until("\r\n\r\n", deadline)) return std::nullopt;
  Reply reply;
  const size_t head = buffer_.find("\r\n\r\n") + 4;
  reply.head = buffer_.substr(0, head);
  buffer_.erase(0, head);
  reply.status = std::stoi(reply.head.substr(9, 3));
  const auto need = [&](size_t size) {
    while (buffer_.size() < size)
      if (!read_more(end)) return false;
    return true;
  };
  const size_t length = reply.head.find("Content-Length: ");
  if (head_only) return reply;
  if (length != std::string::npos) {
    const size_t size = std::stoul(reply.head.substr(length + 16));
    if (!need(size)) return std::nullopt;
    reply.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
  } else if (reply.head.find("Transfer-Encoding: chunked") != std::string::npos) {
    ChunkedDecoder decoder;
    decoder.reset({size_t{1} << 30, 1024, 1024});
    while (true) {
      buffer_.erase(0, decoder.feed(buffer_, reply.body));
      if (decoder.done()) break;
      if (decoder.failed() || !read_more(end)) return std::nullopt;
    }
  }
  return reply;
}

bool RawClient::closed_by_server(std::chrono::milliseconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (read_more(end)) {
  }
  return ended_;
}

void RawClient::reset() {
  const linger hard{1, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  fd_ = Fd();
}

}  // namespace aictl::http::test
