#include "core/telemetry/metrics.hpp"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

using namespace aictl;

namespace {

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("metrics: counters, gauges and histograms appear with help, type and labels") {
  Metrics metrics;
  const Counter requests = metrics.counter("aictl_requests_total", "Requests.", {{"code", "200"}});
  requests.add();
  requests.add(2);
  metrics.gauge("vllm:num_requests_running", "Running.", {{"model_name", "m"}}).set(4);
  const Histogram seconds = metrics.histogram("aictl_request_seconds", "Time.", {0.5, 1});
  seconds.observe(0.25);
  seconds.observe(3);
  const std::string text = metrics.expose();
  CHECK(has_line(text, "# TYPE aictl_requests_total counter"));
  CHECK(has_line(text, "aictl_requests_total{code=\"200\"} 3"));
  CHECK(has_line(text, "# HELP vllm:num_requests_running Running."));
  CHECK(has_line(text, "vllm:num_requests_running{model_name=\"m\"} 4"));
  CHECK(has_line(text, "aictl_request_seconds_bucket{le=\"0.5\"} 1"));
  CHECK(has_line(text, "aictl_request_seconds_bucket{le=\"+Inf\"} 2"));
  CHECK(has_line(text, "aictl_request_seconds_count 2"));
}

TEST_CASE("metrics: the same name and labels are the same instrument") {
  Metrics metrics;
  metrics.counter("x_total", "X.", {{"a", "1"}}).add();
  metrics.counter("x_total", "X.", {{"a", "1"}}).add();
  metrics.counter("x_total", "X.", {{"a", "2"}}).add();
  CHECK(metrics.counter("x_total", "X.", {{"a", "1"}}).value() == 2);
  CHECK(has_line(metrics.expose(), "x_total{a=\"2\"} 1"));
}

TEST_CASE("metrics: updates run before each exposition") {
  Metrics metrics;
  const Gauge depth = metrics.gauge("depth", "Depth.");
  int asked = 0;
  metrics.before_exposition([&] { depth.set(++asked); });
  CHECK(has_line(metrics.expose(), "depth 1"));
  CHECK(has_line(metrics.expose(), "depth 2"));
}

TEST_CASE("metrics: updates of many threads all count, while others read") {
  Metrics metrics;
  const Counter counter = metrics.counter("n_total", "N.");
  const Histogram histogram = metrics.histogram("h", "H.", {1});
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 5000; ++i) {
          counter.add();
          histogram.observe(i % 2);
        }
      });
    for (int i = 0; i < 20; ++i) CHECK_FALSE(metrics.expose().empty());
  }
  CHECK(counter.value() == 20000);
  CHECK(has_line(metrics.expose(), "h_count 20000"));
}
