// The driver against a server in this process: what each kind of answer and each kind of failure
// becomes.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <string>

#include "core/http/server.hpp"
#include "core/http/sse.hpp"
#include "core/load/drive/driver.hpp"
#include "core/load/drive/target.hpp"

namespace aictl::load {
namespace {

using doctest::Approx;
using http::Exchange;

std::unique_ptr<http::Server> serve(http::Handler handler) {
  http::ServerOptions options;
  options.addresses = {"127.0.0.1:0"};
  auto server = http::Server::start(std::move(options), std::move(handler));
  REQUIRE(server.ok());
  return std::move(*server);
}

// A stream of `tokens` pieces with its usage at the end.
void stream_answer(Exchange& exchange, int tokens) {
  http::Stream stream = http::sse::start(exchange);
  stream.write(http::sse::format_event(
      R"({"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]})"));
  for (int i = 0; i < tokens; ++i)
    stream.write(http::sse::format_event(R"({"choices":[{"index":0,"delta":{"content":"x"}}]})"));
  stream.write(
      http::sse::format_event(R"({"choices":[{"index":0,"delta":{},"finish_reason":"length"}]})"));
  stream.write(http::sse::format_event(
      R"({"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":)" + std::to_string(tokens) +
      R"(,"prompt_tokens_details":{"cached_tokens":3}}})"));
  stream.write(http::sse::format_event("[DONE]"));
  stream.finish();
}

DriveOptions closed(const http::Server& server, int users, uint64_t requests) {
  DriveOptions options;
  options.url = server.url();
  options.path = "/v1/chat/completions";
  options.users = users;
  options.requests = requests;
  return options;
}

Run run(const DriveOptions& options) {
  auto run = drive(
      options,
      [](uint64_t index) {
        return Prepared{std::to_string(index), 7, 5};
      },
      [](const Live&) { return true; });
  REQUIRE(run.ok());
  return std::move(*run);
}

TEST_CASE("driver: users in closed loop ask as often as they should, over kept connections") {
  std::atomic<int> running{0}, most{0};
  auto server = serve([&](Exchange exchange) {
    int now = ++running;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    exchange.on_close([&] { --running; });
    stream_answer(exchange, 5);
  });
  DriveOptions options = closed(*server, 3, 20);
  options.exact_length = true;
  const Run done = run(options);
  CHECK(done.records.size() == 20);
  CHECK_FALSE(done.open_loop);
  std::set<uint64_t> seen;
  for (const Record& record : done.records) {
    seen.insert(record.index);
    CHECK(record.ok());
    CHECK(record.status == 200);
    CHECK(record.out == 5);
    CHECK(record.in == 7);
    CHECK(record.cached == 3);
    CHECK(record.counted_by_server);
    CHECK(record.pieces == 5);
    CHECK(record.gaps.size() == 4);
    CHECK(record.finish == "length");
    CHECK(record.plan <= record.handled);
    CHECK(record.start <= record.sent);
    CHECK(record.sent <= record.first);
    CHECK(record.first <= record.last);
    CHECK(record.last <= record.end);
  }
  CHECK(seen.size() == 20);
  CHECK(server->stats().accepted <= 3);
}

TEST_CASE(
    "driver: open loop sends at the times drawn, and a cap makes requests wait in the client") {
  std::atomic<int> asked{0};
  auto server = serve([&](Exchange exchange) {
    ++asked;
    stream_answer(exchange, 5);
  });
  DriveOptions options = closed(*server, 0, 0);
  for (int i = 0; i < 30; ++i) options.arrivals.push_back({0.002 * i, i / 15});
  const Run done = run(options);
  CHECK(done.open_loop);
  CHECK(done.planned == 30);
  REQUIRE(done.records.size() == 30);
  for (const Record& record : done.records) {
    CHECK(record.plan == Approx(0.002 * static_cast<double>(record.index)));
    CHECK(record.handled >= record.plan);
    CHECK(record.step == static_cast<int>(record.index) / 15);
  }
  // All are due at once, and one may run: the others wait here, and that is measured.
  options.arrivals.assign(10, {0, 0});
  options.max_running = 1;
  const Run capped = run(options);
  REQUIRE(capped.records.size() == 10);
  for (size_t i = 1; i < 10; ++i) CHECK(capped.records[i].start >= capped.records[i - 1].end);
  CHECK(capped.records[9].start - capped.records[9].handled > 0);
  CHECK(capped.records[9].ttft_plan() > capped.records[9].ttft());
}

TEST_CASE("driver: each way to fail has its class, and none looks like an answer") {
  auto server = serve([](Exchange exchange) {
    const std::string& kind = exchange.request().body;
    if (kind == "0")
      return exchange.respond(http::Response::json(429, R"({"error":{"message":"full"}})"));
    if (kind == "1") return exchange.respond(http::Response::text(200, "hello"));
    if (kind == "3") return stream_answer(exchange, 3);  // 5 were asked for
    http::Stream stream = http::sse::start(exchange);
    if (kind == "2")
      stream.write(http::sse::format_event(R"({"error":{"message":"out of memory"}})"));
    if (kind == "4") stream.write(http::sse::format_event("[DONE]"));
    if (kind == "5")
      stream.write(http::sse::format_event(R"({"choices":[{"delta":{"content":"x"}}]})"));
    stream.finish();
  });
  DriveOptions options = closed(*server, 1, 6);
  options.exact_length = true;
  const Run done = run(options);
  REQUIRE(done.records.size() == 6);
  const Failure expected[] = {Failure::kStatus, Failure::kStream, Failure::kStream,
                              Failure::kLength, Failure::kEmpty,  Failure::kTruncated};
  for (size_t i = 0; i < 6; ++i) {
    INFO(i << ": " << done.records[i].error);
    CHECK(done.records[i].failure == expected[i]);
  }
  CHECK(done.records[0].error == "429: full");
  CHECK(done.records[2].error == "out of memory");
}

TEST_CASE("driver: nobody listens, and nobody answers") {
  auto server = serve([](Exchange exchange) { exchange.on_close([exchange] {}); });
  DriveOptions options = closed(*server, 2, 4);
  options.timeout = 0.05;
  for (const Record& record : run(options).records) CHECK(record.failure == Failure::kTimeout);
  server.reset();
  for (const Record& record : run(options).records) CHECK(record.failure == Failure::kConnect);
}

TEST_CASE("driver: an interrupted run ends at once with what was measured") {
  auto server = serve([](Exchange exchange) {
    if (exchange.request().body == "0") return stream_answer(exchange, 5);
    exchange.on_close([exchange] {});
  });
  DriveOptions options = closed(*server, 1, 100);
  auto done = drive(
      options,
      [](uint64_t index) {
        return Prepared{std::to_string(index), 0, 0};
      },
      [](const Live& live) { return live.done < 1; });
  REQUIRE(done.ok());
  CHECK(done->interrupted);
  REQUIRE(done->records.size() == 2);
  CHECK(done->records[0].ok());
  CHECK(done->records[1].failure == Failure::kCancelled);
}

TEST_CASE("target: models, words and their cost, and what a request says") {
  auto server = serve([](Exchange exchange) {
    const http::Request& request = exchange.request();
    if (request.path == "/v1/models")
      return exchange.respond(http::Response::json(200, R"({"data":[{"id":"m1"},{"id":"m2"}]})"));
    const auto body = parse_json(request.body);
    if (request.path == "/tokenize") {
      if (!body->contains("content")) return exchange.respond(http::Response::json(400, "{}"));
      const std::string text = (*body)["content"];
      const auto n = 1 + std::count(text.begin(), text.end(), ' ');
      Json tokens = Json::array();
      for (long i = 0; i < n; ++i) tokens.push_back(i);
      return exchange.respond(http::Response::json(200, dump_json(Json{{"tokens", tokens}})));
    }
    if (request.path == "/v1/chat/completions") {
      const std::string text = (*body)["messages"][0]["content"];
      const auto n = 10 + 1 + std::count(text.begin(), text.end(), ' ');
      return exchange.respond(
          http::Response::json(200, "{\"usage\":{\"prompt_tokens\":" + std::to_string(n) + "}}"));
    }
    exchange.respond(http::Response::json(404, "{}"));
  });
  TargetOptions options;
  options.url = server->url();
  auto target = Target::open(options);
  REQUIRE(target.ok());
  CHECK(target->options().model == "m1");
  const auto lexicon = target->lexicon();
  REQUIRE(lexicon.ok());
  CHECK(lexicon->source == "tokenizer");
  CHECK(lexicon->overhead == Approx(10));
  Random random(1);
  const std::string text = lexicon->write(random, 100);
  CHECK(1 + std::count(text.begin(), text.end(), ' ') == 100);
  const auto body = parse_json(target->body(Json("hi"), 9));
  CHECK((*body)["max_tokens"] == 9);
  CHECK((*body)["stream"] == true);
  CHECK((*body)["messages"][0]["content"] == "hi");

  options.model = "m3";
  CHECK(Target::open(options).error().code == ErrorCode::kNotFound);
}

TEST_CASE("target: without a tokenizer two requests tell what words cost") {
  auto server = serve([](Exchange exchange) {
    const http::Request& request = exchange.request();
    if (request.path == "/v1/models")
      return exchange.respond(http::Response::json(200, R"({"data":[{"id":"m"}]})"));
    if (request.path != "/v1/chat/completions")
      return exchange.respond(http::Response::json(404, "{}"));
    const std::string text = (*parse_json(request.body))["messages"][0]["content"];
    const auto words = 1 + std::count(text.begin(), text.end(), ' ');
    exchange.respond(http::Response::json(
        200, "{\"usage\":{\"prompt_tokens\":" + std::to_string(20 + 2 * words) + "}}"));
  });
  TargetOptions options;
  options.url = server->url();
  auto target = Target::open(options);
  REQUIRE(target.ok());
  const auto lexicon = target->lexicon();
  REQUIRE(lexicon.ok());
  CHECK(lexicon->source == "usage");
  CHECK(lexicon->overhead == Approx(20));
  CHECK(lexicon->words.front().tokens == Approx(2));
}

}  // namespace
}  // namespace aictl::load
