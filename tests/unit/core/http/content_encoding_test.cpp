// Compressed bodies: what goes in comes out, broken ones and bombs are refused.
#include "core/http/framing/content_encoding.hpp"

#include <doctest/doctest.h>
#include <zlib.h>
#include <zstd.h>

#include <string>

namespace aictl::http {
namespace {

std::string gzip(const std::string& text, int window_bits = 15 + 16) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

std::string sample() {
  std::string text;
  for (int i = 0; i < 50000; ++i) text += std::to_string(i * 7919);
  return text;
}

TEST_CASE("content encoding: gzip, deflate and zstd give back what went in") {
  const std::string text = sample();
  CHECK(decode_content("gzip", gzip(text), 1 << 20).value() == text);
  CHECK(decode_content("X-GZIP", gzip(text), 1 << 20).value() == text);
  CHECK(decode_content("deflate", gzip(text, 15), 1 << 20).value() == text);
  CHECK(decode_content("zstd", zstd(text), 1 << 20).value() == text);
  CHECK(decode_content("zstd, gzip", gzip(zstd(text)), 1 << 20).value() == text);
  CHECK(decode_content("identity", text, 1).value() == text);
  CHECK(decode_content("gzip", gzip(""), 10).value().empty());
}

TEST_CASE("content encoding: the limit is exact, and a bomb stops at it") {
  const std::string text = sample();
  CHECK(decode_content("gzip", gzip(text), text.size()).ok());
  CHECK(decode_content("gzip", gzip(text), text.size() - 1).error().code == ErrorCode::kTooLarge);
  CHECK(decode_content("zstd", zstd(text), text.size()).ok());
  CHECK(decode_content("zstd", zstd(text), text.size() - 1).error().code == ErrorCode::kTooLarge);
  const std::string zeros(64 << 20, '\0');
  CHECK(decode_content("gzip", gzip(zeros), 1 << 20).error().code == ErrorCode::kTooLarge);
  CHECK(decode_content("zstd", zstd(zeros), 1 << 20).error().code == ErrorCode::kTooLarge);
}

TEST_CASE("content encoding: cut, broken and trailing bytes are refused") {
  const std::string text = sample();
  for (const auto& encoded : {std::pair{"gzip", gzip(text)}, {"zstd", zstd(text)}}) {
    const auto& name = encoded.first;
    const std::string& bytes = encoded.second;
    CAPTURE(name);
    CHECK(decode_content(name, std::string_view(bytes).substr(0, bytes.size() / 2), 1 << 20)
              .error()
              .code == ErrorCode::kDataRefused);
    std::string broken = bytes;
    broken[bytes.size() / 2] = static_cast<char>(~broken[bytes.size() / 2]);
    broken[0] = 'x';
    CHECK(decode_content(name, broken, 1 << 20).error().code == ErrorCode::kDataRefused);
    CHECK_FALSE(decode_content(name, bytes + "junk", 1 << 20).ok());
  }
  CHECK(decode_content("br", "x", 10).error().code == ErrorCode::kUnsupported);
  CHECK(decode_content("gzip, gzip, gzip", "x", 10).error().code == ErrorCode::kUnsupported);
}

TEST_CASE("content encoding: a decoded request loses its header") {
  Request request;
  request.headers.add("Content-Encoding", "gzip");
  request.body = gzip("hello");
  REQUIRE(decode_body(request, 100));
  CHECK(request.body == "hello");
  CHECK_FALSE(request.headers.has("content-encoding"));
}

}  // namespace
}  // namespace aictl::http
