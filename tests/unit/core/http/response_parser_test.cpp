// Responses in any cut, of any framing, and what is no response.
#include "core/http/async/response_parser.hpp"

#include <doctest/doctest.h>

#include <string>

namespace aictl::http::test {
namespace {

struct Outcome {
  bool complete = false, failed = false, keep_alive = false;
  int status = 0;
  std::string body;
  size_t used = 0;
};

Outcome read(std::string_view bytes, size_t cut, bool end) {
  ResponseParser parser;
  Outcome out;
  for (size_t at = 0; at < bytes.size() && !parser.complete() && !parser.failed();) {
    const std::string_view piece = bytes.substr(at, cut);
    const size_t used = parser.feed(piece, [&](std::string_view part) { out.body += part; });
    out.used += used;
    at += piece.size();
  }
  if (end) parser.on_end();
  out.complete = parser.complete();
  out.failed = parser.failed();
  out.keep_alive = parser.keep_alive();
  out.status = parser.status();
  return out;
}

TEST_CASE("response parser: every framing, in every cut") {
  struct Row {
    const char* bytes;
    int status;
    const char* body;
    bool keep_alive, end;
  };
  const Row rows[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true, false},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", 200,
       "hello", true, false},
      {"HTTP/1.1 503\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 503, "", false, false},
      {"HTTP/1.0 200 OK\r\n\r\nhello", 200, "hello", false, true},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, "ok", true,
       false},
      {"HTTP/1.1 204 No Content\r\n\r\n", 204, "", true, false},
  };
  for (const Row& row : rows)
    for (size_t cut = 1; cut < 60; ++cut) {
      const Outcome out = read(row.bytes, cut, row.end);
      INFO(row.bytes << " cut " << cut);
      CHECK(out.complete);
      CHECK(out.status == row.status);
      CHECK(out.body == row.body);
      CHECK(out.keep_alive == row.keep_alive);
    }
}

TEST_CASE("response parser: what is cut off or malformed fails") {
  for (const char* bytes :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "SSH-2.0-x\r\n",
        "HTTP/2 200\r\n\r\n", "HTTP/1.1 20x OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello", "HTTP/1.1 101 Switching\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ""}) {
    INFO(bytes);
    CHECK(read(bytes, 7, true).failed);
  }
  CHECK(read("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'), 1000, false).failed);
}

TEST_CASE("response parser: takes no byte beyond its response") {
  const std::string one = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  CHECK(read(one + "HTTP/1.1 200", 1000, false).used == one.size());
}

}  // namespace
}  // namespace aictl::http::test
