// HTTP framing under hostile bytes: whatever comes, in whatever pieces, the parser ends in the same
// state, keeps its limits, and bodies decode within theirs. The first bytes choose the cuts.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/http/framing/content_encoding.hpp"
#include "core/http/parser.hpp"
#include "core/http/sse.hpp"

namespace {

using aictl::http::ParserLimits;
using aictl::http::RequestParser;

constexpr size_t kBodyLimit = 4096;

ParserLimits limits() {
  ParserLimits limits;
  limits.request_line = 256;
  limits.header_line = 256;
  limits.header_bytes = 1024;
  limits.header_count = 16;
  limits.body_bytes = kBodyLimit;
  limits.trailer_bytes = 256;
  limits.chunk_overhead = 64;
  return limits;
}

// Never optimised away, unlike assert: a broken promise must stop the fuzzer.
void require(bool holds) {
  if (!holds) __builtin_trap();
}

// What the parser made of the bytes when they come in pieces of the given size (0: at once).
std::string outcome(std::string_view bytes, size_t piece) {
  RequestParser parser(limits());
  std::string out;
  size_t at = 0;
  while (at < bytes.size() && !parser.failed()) {
    const std::string_view cut = bytes.substr(at, piece == 0 ? bytes.size() : piece);
    const size_t used = parser.feed(cut);
    require(used <= cut.size());
    require(used > 0);
    at += used;
    require(parser.request().body.size() <= kBodyLimit);
    require(parser.request().headers.size() <= limits().header_count);
    if (!parser.complete()) continue;
    const aictl::http::Request request = parser.take();
    out += request.method + " " + request.path + " " + request.query + " " + request.body + "\n";
    for (const auto& field : request.headers) {
      require(field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
      out += field.name + ":" + field.value + "\n";
    }
  }
  if (parser.failed()) out += std::to_string(parser.error().status) + parser.error().message;
  return out;
}

void decode(std::string_view bytes) {
  for (const char* coding : {"gzip", "zstd", "gzip, zstd"}) {
    const auto decoded = aictl::http::decode_content(coding, bytes, kBodyLimit);
    require(!decoded || decoded->size() <= kBodyLimit);
  }
}

void read_events(std::string_view bytes, size_t piece) {
  std::string whole;
  std::string cut;
  aictl::http::sse::Parser at_once(512);
  aictl::http::sse::Parser in_pieces(512);
  at_once.feed(bytes, [&](const auto& event) { whole += event.event + "|" + event.data + "\n"; });
  for (size_t at = 0; at < bytes.size(); at += piece)
    in_pieces.feed(bytes.substr(at, piece),
                   [&](const auto& event) { cut += event.event + "|" + event.data + "\n"; });
  require(whole == cut);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const size_t piece = 1 + data[0] % 61;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  require(outcome(bytes, piece) == outcome(bytes, 0));
  decode(bytes);
  read_events(bytes, piece);
  return 0;
}
