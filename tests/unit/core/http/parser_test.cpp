// The request parser: what it takes, what it refuses and with which status, and that the outcome
// does not depend on how the bytes were cut.
#include "core/http/parser.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

namespace aictl::http {
namespace {

ParserLimits small_limits() {
  ParserLimits limits;
  limits.request_line = 64;
  limits.header_line = 80;
  limits.header_bytes = 200;
  limits.header_count = 6;
  limits.body_bytes = 32;
  limits.trailer_bytes = 40;
  limits.chunk_overhead = 24;
  return limits;
}

// What came of a stream of bytes, as text: one line a request, the last one maybe an error.
std::string outcome(const std::vector<std::string_view>& cuts) {
  RequestParser parser(small_limits());
  std::string out;
  for (std::string_view bytes : cuts) {
    while (!bytes.empty() && !parser.failed()) {
      bytes.remove_prefix(parser.feed(bytes));
      if (!parser.complete()) continue;
      const Request request = parser.take();
      out += request.method + " " + request.path + "?" + request.query + " " + request.body + "\n";
    }
  }
  if (parser.failed()) out += std::to_string(parser.error().status) + " " + parser.error().message;
  return out;
}

struct Case {
  std::string bytes;
  int status;  // 0: complete
};

std::string with(std::string_view fields, std::string_view body = "") {
  return "POST /x HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

std::vector<Case> cases() {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  return {
      {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 0},
      {"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 0},
      {"\r\n\r\n\r\n\r\n\r\n", 400},
      {"GET / HTTP/1.0\r\n\r\n", 0},
      {"GET /a%20b?x=1&y HTTP/1.1\r\nHost: h\r\n\r\n", 0},
      {"GET http://h:80/p?q HTTP/1.1\r\nHost: h\r\n\r\n", 0},
      {"GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", 0},
      {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 0},
      {"GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET h/p HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET http://u@h/p HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET ftp://h/p HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /#f HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", 501},
      {"GET / HTTP/2.0\r\n\r\n", 505},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"GET / HTTP/1.1 \r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\n\r\n", 400},
      {"GET /\r\n\r\n", 400},
      {"G(T / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: h\n\n", 400},
      {"GET / http/1.1\r\n\r\n", 400},
      {std::string("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n", 29), 400},
      {"GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /\x80 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /" + std::string(80, 'a') + " HTTP/1.1\r\n", 414},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {with("Content-Length: 3\r\n", "abc"), 0},
      {with("Content-Length: 0\r\n"), 0},
      {with("Content-Length: +3\r\n", "abc"), 400},
      {with("Content-Length: 3, 3\r\n", "abc"), 400},
      {with("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), 400},
      {with("Content-Length: \r\n"), 400},
      {with("Content-Length: 0x3\r\n"), 400},
      {with("Content-Length: 99999999999999999999999\r\n"), 400},
      {with("Content-Length: 33\r\n"), 413},
      {with("Content-Length : 3\r\n", "abc"), 400},
      {with("Content-Length: 3\r\n" + chunked, "0\r\n\r\n"), 400},
      {with(chunked, "3\r\nabc\r\n2;a=\"b;\"\r\nde\r\n0\r\n\r\n"), 0},
      {with(chunked, "0\r\nX: y\r\n\r\n"), 0},
      {with(chunked, "0\r\nX y\r\n\r\n"), 400},
      {with(chunked, "0\r\nX: " + std::string(60, 'y') + "\r\n\r\n"), 431},
      {with(chunked, "3\nabc\r\n0\r\n\r\n"), 400},
      {with(chunked, "3\r\nabcd\r\n0\r\n\r\n"), 400},
      {with(chunked, "-3\r\nabc\r\n0\r\n\r\n"), 400},
      {with(chunked, " 3\r\nabc\r\n0\r\n\r\n"), 400},
      {with(chunked, "3 \r\nabc\r\n0\r\n\r\n"), 400},
      {with(chunked, "\r\n"), 400},
      {with(chunked, "0x3\r\nabc\r\n"), 400},
      {with(chunked, "11111111111111111\r\n"), 413},
      {with(chunked, "21\r\n"), 413},
      {with(chunked, "20\r\n" + std::string(32, 'a') + "\r\n1\r\n"), 413},
      {with(chunked, "3;" + std::string(40, 'e') + "\r\nabc\r\n"), 400},
      {with(chunked, "0000000000000000000000000003\r\nabc\r\n"), 400},
      {with("Transfer-Encoding: gzip, chunked\r\n"), 501},
      {with("Transfer-Encoding: identity\r\n"), 501},
      {with("Transfer-Encoding: xchunked\r\n"), 501},
      {with(chunked + chunked, "0\r\n\r\n"), 501},
      {"POST / HTTP/1.0\r\n" + chunked + "\r\n0\r\n\r\n", 400},
      {with("Expect: 100-continue\r\nContent-Length: 1\r\n", "a"), 0},
      {with("Expect: 200-ok\r\n"), 417},
      {with("A: b\r\n c\r\n"), 400},
      {with(" A: b\r\n"), 400},
      {with(": b\r\n"), 400},
      {with("A\r\n"), 400},
      {with("A b: c\r\n"), 400},
      {with("A: b\rc\r\n"), 400},
      {with(std::string("A: b\0c\r\n", 8)), 400},
      {with("A: \x01\r\n"), 400},
      {with("A: caf\xc3\xa9\r\n"), 0},
      {with("A: " + std::string(90, 'b') + "\r\n"), 431},
      {with("A: " + std::string(70, 'b') + "\r\nB: " + std::string(70, 'b') +
            "\r\nC: " + std::string(70, 'b') + "\r\n"),
       431},
      {with("A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\nF: 1\r\n"), 431},
  };
}

TEST_CASE("parser: each message is taken whole or refused with the right status") {
  for (const Case& one : cases()) {
    CAPTURE(one.bytes);
    RequestParser parser(small_limits());
    size_t used = 0;
    while (used < one.bytes.size() && !parser.complete() && !parser.failed())
      used += parser.feed(std::string_view(one.bytes).substr(used));
    if (one.status == 0) {
      CHECK_MESSAGE(parser.complete(), parser.error().message);
      CHECK(used == one.bytes.size());
    } else {
      CHECK(parser.failed());
      CHECK(parser.error().status == one.status);
      CHECK_FALSE(parser.error().message.empty());
    }
  }
}

TEST_CASE("parser: any cut of the bytes gives the same outcome") {
  std::mt19937 random(7);
  for (const Case& one : cases()) {
    CAPTURE(one.bytes);
    const std::string twice = one.bytes + one.bytes + "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";
    const std::string_view all = twice;
    const std::string whole = outcome({all});
    std::vector<std::string_view> bytes;
    for (size_t i = 0; i < all.size(); ++i) bytes.push_back(all.substr(i, 1));
    CHECK(outcome(bytes) == whole);
    for (int round = 0; round < 20; ++round) {
      std::vector<std::string_view> cuts;
      for (size_t at = 0; at < all.size();) {
        const size_t size = std::uniform_int_distribution<size_t>(1, 17)(random);
        cuts.push_back(all.substr(at, size));
        at += size;
      }
      CHECK(outcome(cuts) == whole);
    }
  }
}

TEST_CASE("parser: targets are taken apart") {
  RequestParser parser(ParserLimits{});
  const std::string_view bytes = "GET http://h:80/a%2Fb?x=%20&y HTTP/1.1\r\nHost: h\r\n\r\n";
  REQUIRE(parser.feed(bytes) == bytes.size());
  REQUIRE(parser.complete());
  const Request request = parser.take();
  CHECK(request.target == "http://h:80/a%2Fb?x=%20&y");
  CHECK(request.path == "/a/b");
  CHECK(request.query == "x=%20&y");
  CHECK_FALSE(parser.started());
}

TEST_CASE("parser: keep-alive follows the version's rules") {
  const auto keep_alive = [](std::string_view version, std::string_view fields) {
    RequestParser parser(ParserLimits{});
    parser.feed("GET / HTTP/" + std::string(version) + "\r\nHost: h\r\n" + std::string(fields) +
                "\r\n");
    REQUIRE(parser.complete());
    return parser.take().keep_alive;
  };
  CHECK(keep_alive("1.1", ""));
  CHECK_FALSE(keep_alive("1.1", "Connection: foo, Close\r\n"));
  CHECK_FALSE(keep_alive("1.0", ""));
  CHECK(keep_alive("1.0", "Connection: Keep-Alive\r\n"));
}

TEST_CASE("parser: a promised body is not memory yet") {
  ParserLimits limits;
  limits.body_bytes = uint64_t{1} << 40;
  RequestParser parser(limits);
  parser.feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000000\r\n\r\nabc");
  CHECK_FALSE(parser.complete());
  CHECK(parser.has_head());
  CHECK(parser.request().body.capacity() < size_t{2} << 20);
}

TEST_CASE("headers: names compare without case, lists are searched by token") {
  Headers headers{{"X-A", "1"}, {"Connection", "keep-alive, Upgrade"}, {"x-a", "2"}};
  CHECK(headers.get("x-A") == "1");
  CHECK(headers.has_token("connection", "upgrade"));
  CHECK_FALSE(headers.has_token("connection", "grade"));
  headers.set("X-a", "3");
  CHECK(headers.size() == 2);
  CHECK(headers.get("X-A") == "3");
  CHECK_FALSE(headers.get("absent"));
}

TEST_CASE("message: percent coding, queries and dates") {
  CHECK(percent_decode("a%2Fb%7e").value() == "a/b~");
  CHECK_FALSE(percent_decode("a%2"));
  CHECK_FALSE(percent_decode("%00"));
  CHECK(percent_encode("a b/c", "/") == "a%20b/c");
  CHECK(query_parameter("a=1&b=x+y%21&c", "b") == "x y!");
  CHECK(query_parameter("a=1&b=x+y&c", "c") == "");
  CHECK_FALSE(query_parameter("a=1", "b"));
  CHECK(format_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
}

}  // namespace
}  // namespace aictl::http
