// Events written and read back, in any cut.
#include "core/http/sse.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace aictl::http::sse {
namespace {

std::string read(std::string_view bytes, size_t cut, size_t limit = 1 << 20) {
  Parser parser(limit);
  std::string seen;
  bool fine = true;
  for (size_t at = 0; at < bytes.size() && fine; at += cut)
    fine = parser.feed(bytes.substr(at, cut), [&](const Event& e) {
      seen += "[" + e.event + "|" + e.data + "|" + e.id + "]";
    });
  return seen + (fine ? "" : "!");
}

TEST_CASE("sse: an event is one data field a line and ends with an empty line") {
  CHECK(format_event("{\"a\":1}") == "data: {\"a\":1}\n\n");
  CHECK(format_event("a\nb\r\nc", "delta\r\nx", "7") ==
        "event: delta\nid: 7\ndata: a\ndata: b\ndata: c\n\n");
  CHECK(format_event("") == "data: \n\n");
}

TEST_CASE("sse: the parser reads what the formatter writes, whatever the cut") {
  const std::string stream =
      "\xEF\xBB\xBF: ping\n\n" + format_event("a\nb", "x", "1") + "data:c\r\n\r\n" +
      "data: d\r\rid: 2\nretry: 5\nevent: lost\n\ndata\n\ndata: [DONE]\n\ndata: cut";
  const std::string expected = "[x|a\nb|1][message|c|1][message|d|1][message||2][message|[DONE]|2]";
  for (size_t cut = 1; cut < 12; ++cut) CHECK(read(stream, cut) == expected);
  CHECK(read(stream, stream.size()) == expected);
}

TEST_CASE("sse: a line or event over the limit ends the reading") {
  CHECK(read("data: " + std::string(100, 'x') + "\n\n", 7, 50) == "!");
  std::string many;
  for (int i = 0; i < 20; ++i) many += "data: 12345\n";
  CHECK(read(many, 7, 50) == "!");
}

}  // namespace
}  // namespace aictl::http::sse
