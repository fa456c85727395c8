#include "core/telemetry/trace.hpp"

#include <doctest/doctest.h>

using namespace aictl;

namespace {

constexpr const char* kHeader = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

}  // namespace

TEST_CASE("trace: a traceparent reads and writes back") {
  const auto context = parse_traceparent(kHeader);
  REQUIRE(context.has_value());
  CHECK(context->sampled);
  CHECK(context->trace_hex() == "0af7651916cd43dd8448eb211c80319c");
  CHECK(format_traceparent(*context) == kHeader);
}

TEST_CASE("trace: what is malformed is no context") {
  const char* bad[] = {"",
                       "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
                       "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                       "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                       "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                       "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                       "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
                       "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                       "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
                       "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x"};
  for (const char* header : bad) {
    CAPTURE(header);
    CHECK_FALSE(parse_traceparent(header).has_value());
  }
}

TEST_CASE("trace: a later version is read by its first fields") {
  CHECK(parse_traceparent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"));
}

TEST_CASE("trace: ids are never zero, a child keeps the trace") {
  const TraceContext made = make_trace(0, 0, 0);
  CHECK(parse_traceparent(format_traceparent(made)).has_value());
  const TraceContext child = made.child(7);
  CHECK(child.trace_hex() == made.trace_hex());
  CHECK(format_traceparent(child).find("0000000000000007") != std::string::npos);
}
