// When requests come and how long they are.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/load/arrival/arrivals.hpp"
#include "core/load/arrival/trace.hpp"
#include "core/load/workload/lengths.hpp"

namespace aictl::load {
namespace {

using doctest::Approx;
constexpr double kForever = std::numeric_limits<double>::infinity();

struct Moments {
  double mean = 0, cv = 0;
};

Moments gaps_of(const std::vector<Arrival>& arrivals) {
  double sum = 0, squares = 0;
  const auto n = static_cast<double>(arrivals.size() - 1);
  for (size_t i = 1; i < arrivals.size(); ++i) {
    const double gap = arrivals[i].at - arrivals[i - 1].at;
    sum += gap;
    squares += gap * gap;
  }
  const double mean = sum / n;
  return {mean, std::sqrt(squares / n - mean * mean) / mean};
}

TEST_CASE("arrivals: mean and scatter are those of the process") {
  struct Row {
    const char* text;
    double cv;
  };
  for (const Row& row : {Row{"poisson", 1}, Row{"gamma:2", 2}, Row{"gamma:0.5", 0.5},
                         Row{"uniform", 1 / std::sqrt(3.0)}}) {
    const auto process = parse_arrival(row.text).value();
    const auto moments = gaps_of(draw_arrivals(process, {{kForever, 5, 5}}, 100'000, kForever, 7));
    INFO(row.text);
    CHECK(moments.mean == Approx(0.2).epsilon(0.03));
    CHECK(moments.cv == Approx(row.cv).epsilon(0.03));
  }
}

TEST_CASE("arrivals: constant ones begin at once and are even") {
  const auto arrivals =
      draw_arrivals(parse_arrival("constant").value(), {{kForever, 4, 4}}, 5, kForever, 1);
  REQUIRE(arrivals.size() == 5);
  for (size_t i = 0; i < 5; ++i) CHECK(arrivals[i].at == Approx(0.25 * static_cast<double>(i)));
}

TEST_CASE("arrivals: the same seed draws the same, another does not") {
  const auto draw = [](uint64_t seed) {
    return draw_arrivals(ArrivalProcess{}, {{kForever, 1, 1}}, 10, kForever, seed)[9].at;
  };
  CHECK(draw(1) == draw(1));
  CHECK(draw(1) != draw(2));
}

TEST_CASE("arrivals: a ramp has as many as its area, and the rate at its ends") {
  const auto constant = parse_arrival("constant").value();
  const auto linear = draw_arrivals(constant, parse_ramp("linear:1..20", 10).value(), 1000, 10, 1);
  CHECK(linear.size() == 105);  // (1 + 20) / 2 * 10
  CHECK(linear[1].at - linear[0].at == Approx(1 / 1.9).epsilon(0.25));
  CHECK(linear[104].at - linear[103].at == Approx(1.0 / 20).epsilon(0.01));
  const auto growing = draw_arrivals(constant, parse_ramp("exp:1..20", 10).value(), 1000, 10, 1);
  CHECK(growing.size() == 64);  // 10 * 19 / ln 20 = 63.4
  for (const char* wrong : {"linear", "linear:1", "linear:1..", "square:1..2", "exp:0..2", ""})
    CHECK_FALSE(parse_ramp(wrong, 10).ok());
}

TEST_CASE("arrivals: steps are told apart") {
  const auto curve = parse_steps("1,2,4", 10).value();
  const auto arrivals = draw_arrivals(parse_arrival("constant").value(), curve, 1000, 30, 1);
  int n[3] = {};
  for (const Arrival& one : arrivals) {
    ++n[one.step];
    CHECK(static_cast<int>(one.at / 10 + 1e-9) == one.step);
  }
  CHECK(n[0] == 10);
  CHECK(n[1] == 20);
  CHECK(n[2] == 40);
  CHECK_FALSE(parse_steps("1,,2", 10).ok());
  CHECK_FALSE(parse_steps("1,x", 10).ok());
  CHECK_FALSE(parse_steps("", 10).ok());
}

TEST_CASE("arrivals: nonsense is refused with what would be right") {
  for (const char* wrong : {"", "poison", "gamma:", "gamma:0", "gamma:x", "gamma:1e9"}) {
    const auto process = parse_arrival(wrong);
    REQUIRE_FALSE(process.ok());
    CHECK(process.error().code == ErrorCode::kInvalidArgument);
  }
  CHECK(parse_think("").value().kind == ThinkTime::Kind::kNone);
  CHECK(parse_think("exp:2s").value().low == Approx(2));
  CHECK(parse_think("uniform:1s-3s").value().high == Approx(3));
  for (const char* wrong : {"2", "exp:", "uniform:3s-1s", "uniform:1s", "later"})
    CHECK_FALSE(parse_think(wrong).ok());
}

TEST_CASE("trace: Mooncake's lines with their blocks") {
  const auto trace = parse_trace(
      "{\"timestamp\": 1000, \"input_length\": 700, \"output_length\": 5, \"hash_ids\": [1, 2]}\n"
      "{\"timestamp\": 27482, \"input_length\": 10, \"output_length\": 7, \"hash_ids\": []}\n",
      "t.jsonl");
  REQUIRE(trace.ok());
  CHECK(trace->format == "mooncake");
  REQUIRE(trace->rows.size() == 2);
  CHECK(trace->rows[0].at == 0);
  CHECK(trace->rows[1].at == Approx(26.482));
  CHECK(trace->rows[0].blocks == std::vector<int64_t>{1, 2});
}

TEST_CASE("trace: Azure's dates, over midnight and a month's end, with seven digits") {
  const auto trace = parse_trace(
      "TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
      "2024-02-29 23:59:59.5000000,374,44\r\n"
      "2024-03-01 00:00:01.7500001,396,109\r\n",
      "azure.csv");
  REQUIRE(trace.ok());
  CHECK(trace->format == "azure");
  CHECK(trace->rows[1].at == Approx(2.2500001));
  CHECK(trace->rows[1].in_tokens == 396);
}

TEST_CASE("trace: BurstGPT's rows, failed ones counted") {
  const auto trace = parse_trace(
      "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
      "5,ChatGPT,472,18,490,Conversation log\n45.5,GPT-4,1087,0,1087,Conversation log\n"
      "50,ChatGPT,10,3,13,API log\n",
      "burst.csv");
  REQUIRE(trace.ok());
  CHECK(trace->format == "burstgpt");
  CHECK(trace->rows.size() == 2);
  CHECK(trace->skipped == 1);
  CHECK(trace->rows[1].at == Approx(45));
}

TEST_CASE("trace: what is none is refused with its line") {
  for (const char* text : {"", "\n\n", "a,b\n1,2\n", "{\"timestamp\": \"x\"}\n", "{not json}\n",
                           "TIMESTAMP,ContextTokens,GeneratedTokens\nyesterday,1,2\n",
                           "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-01-01 00:00:00,-1,2\n",
                           "{\"timestamp\":1,\"input_length\":1e300,\"output_length\":1}\n"}) {
    const auto trace = parse_trace(text, "t");
    INFO(text);
    REQUIRE_FALSE(trace.ok());
    CHECK(trace.error().code == ErrorCode::kDataRefused);
    CHECK(trace.error().message.starts_with("t:"));
  }
}

TEST_CASE("lengths: each kind has its mean, none is below one token") {
  struct Row {
    const char* text;
    double mean, tolerance;
  };
  for (const Row& row : {Row{"512", 512, 0}, Row{"uniform:100-300", 200, 0.01},
                         Row{"normal:512,64", 512, 0.01}, Row{"lognormal:300,1200", 300, 0.03}}) {
    const auto lengths = parse_lengths(row.text);
    REQUIRE(lengths.ok());
    Random random(5);
    double sum = 0;
    std::vector<double> all;
    for (int i = 0; i < 20'000; ++i) {
      all.push_back(static_cast<double>(lengths->draw(random)));
      sum += all.back();
      CHECK(all.back() >= 1);
    }
    INFO(row.text);
    CHECK(sum / 20'000 == Approx(row.mean).epsilon(row.tolerance + 1e-12));
    std::sort(all.begin(), all.end());
    if (row.tolerance == 0.03) CHECK(all[19'800] == Approx(1200).epsilon(0.06));
  }
  for (const char* wrong : {"", "0", "-5", "1.5", "uniform:5", "uniform:9-2", "normal:5",
                            "lognormal:100,50", "lognormal:10,1000", "hat:1,2", "1e99"})
    CHECK_FALSE(parse_lengths(wrong).ok());
}

}  // namespace
}  // namespace aictl::load
