// From requests to result: figures by hand, limits, comparisons, pages.
#include <doctest/doctest.h>

#include <algorithm>

#include "core/base/file.hpp"
#include "core/load/judge/compare.hpp"
#include "core/load/judge/threshold.hpp"
#include "core/load/page/page.hpp"
#include "core/load/report/metrics.hpp"
#include "core/load/report/result.hpp"
#include "core/load/report/table.hpp"
#include "tests/support/temporary_root.hpp"

namespace aictl::load {
namespace {

using doctest::Approx;

// A request every 100 ms that waits 10 ms to be sent, 20 ms for its first token and 5 ms for each
// of 10 more; its first token takes `extra` longer.
Record request(uint64_t index, double extra = 0) {
  Record record;
  record.index = index;
  record.plan = 0.1 * static_cast<double>(index);
  record.handled = record.plan;
  record.start = record.sent = record.plan + 0.010;
  record.first = record.first_answer = record.sent + 0.020 + extra;
  record.gaps.assign(10, 0.005f);
  record.last = record.end = record.first + 0.050;
  record.asked_in = record.in = 100;
  record.asked_out = record.out = record.pieces = 11;
  record.counted_by_server = true;
  record.status = 200;
  record.finish = "length";
  return record;
}

Run run_of(int n, bool open_loop, double extra = 0) {
  Run run;
  for (int i = 0; i < n; ++i)
    run.records.push_back(request(static_cast<uint64_t>(i), extra + 1e-4 * (i % 7)));
  run.planned = static_cast<uint64_t>(n);
  run.wall = run.planned_end = 0.1 * n;
  run.cpu = 0.01;
  run.open_loop = open_loop;
  return run;
}

Json result_of(const Run& run, const std::string& slo = "") {
  ResultOptions options;
  options.config = {{"model", "m"}, {"mode", run.open_loop ? "open" : "closed"}, {"count", 5}};
  options.fingerprint = {{"machine", {{"topology_hash", "1"}, {"cpu", "a"}}}};
  options.warmup = Warmup{Warmup::Kind::kRequests, 0};
  options.slos = parse_slos(slo).value();
  return result_json(run, options);
}

double value(const Json& result, const char* metric, const char* key) {
  return result["metrics"][metric][key].get<double>();
}

TEST_CASE("result: the figures of requests are those of their definitions") {
  const Json result = result_of(run_of(1, true));
  CHECK(value(result, "ttft", "mean") == Approx(20));
  CHECK(value(result, "ttft_plan", "mean") == Approx(30));
  CHECK(value(result, "tpot", "mean") == Approx(5));
  CHECK(value(result, "e2e", "mean") == Approx(70));
  CHECK(value(result, "e2e_plan", "mean") == Approx(80));
  CHECK(value(result, "ntpot", "mean") == Approx(70.0 / 11).epsilon(1e-3));
  CHECK(value(result, "user_tps", "mean") == Approx(200));
  CHECK(value(result, "itl", "n") == 10);
  CHECK(value(result, "itl", "mean") == Approx(5));
  CHECK(value(result, "queue", "mean") == Approx(10));
  CHECK(value(result, "late", "mean") == Approx(0));
  CHECK(result["metrics"]["ttft"]["p50"].is_null());  // of one request
}

TEST_CASE("result: rates, concurrency and lengths over the window") {
  const Json result = result_of(run_of(100, true));
  CHECK(result["throughput"]["rps"]["value"] == Approx(10).epsilon(0.02));
  CHECK(result["throughput"]["output_tps"]["value"] == Approx(110).epsilon(0.02));
  CHECK(result["throughput"]["total_tps"]["value"] == Approx(1110).epsilon(0.02));
  CHECK(result["throughput"]["concurrency"]["value"] == Approx(0.7).epsilon(0.01));
  CHECK(result["throughput"]["concurrency"]["peak"] == 1);
  CHECK(result["throughput"]["rps"]["ci95"].size() == 2);
  CHECK(result["lengths"]["out"]["got_mean"] == 11);
  CHECK(result["load"]["error_rate"] == 0);
  CHECK(result["load"]["tokens_by"] == "usage");
  CHECK(result["load"]["client_limited"] == false);
  CHECK(result["metrics"]["ttft"]["p90"].is_number());
  CHECK(result["metrics"]["ttft"]["p99"].is_null());
}

TEST_CASE("result: a failed request never improves a latency, and every class is told") {
  Run run = run_of(20, false);
  for (size_t i = 0; i < 5; ++i) {
    run.records[i].failure = i < 3 ? Failure::kTimeout : Failure::kStatus;
    run.records[i].first = run.records[i].sent;  // as if it took no time
    run.records[i].error = "why";
  }
  const Json result = result_of(run, "ttft:100");
  CHECK(value(result, "ttft", "n") == 15);
  CHECK(value(result, "ttft", "min") == Approx(20));
  CHECK(result["load"]["error_rate"] == 25);
  REQUIRE(result["errors"].size() == 2);
  CHECK(result["errors"][0] == Json{{"class", "timeout"}, {"n", 3}, {"example", "why"}});
  CHECK(result["goodput"]["percent"] == 75);
  CHECK(result["goodput"]["requests"] == 20);
}

TEST_CASE("result: goodput counts waiting in the client's queue when requests were due") {
  CHECK(result_of(run_of(20, true), "ttft:25")["goodput"]["percent"] == 0);
  CHECK(result_of(run_of(20, false), "ttft:25")["goodput"]["percent"] == 100);
  CHECK(result_of(run_of(20, false), "ttft:25,tpot:4")["goodput"]["percent"] == 0);
  CHECK(parse_slos("ttft:2s")->front().limit == Approx(2000));
  for (const char* wrong : {"ttft", "ttft:", "ttft:-1", "speed:3", "ttft:1x"})
    CHECK_FALSE(parse_slos(wrong).ok());
}

TEST_CASE("result: warm-up is left out, what ends after the plan is not counted in rates") {
  Run run = run_of(40, false);
  run.planned_end = 3.0;
  std::vector<const Record*> by_plan;
  for (const Record& record : run.records) by_plan.push_back(&record);
  const Window window = find_window(run, by_plan, parse_warmup("10").value());
  CHECK(window.from == Approx(1.0));
  CHECK(window.to == Approx(3.0));
  CHECK(window.warmup_requests == 10);
  CHECK(find_window(run, by_plan, parse_warmup("2s").value()).from == Approx(2.0));
  CHECK_FALSE(parse_warmup("soon").ok());
  CHECK(result_of(run)["load"]["completed_after_end"] == 10);
}

TEST_CASE("result: concurrency is exact, and growing queues are saturation") {
  Run run;
  run.open_loop = true;
  for (uint64_t i = 0; i < 100; ++i) {
    Record record = request(i);
    record.plan = record.handled = record.start = record.sent = static_cast<double>(i);
    // Each waits longer than the one before, so that more and more run at once.
    record.first = record.sent + 0.5 * static_cast<double>(i) + 0.01 * static_cast<double>(i % 3);
    record.end = record.last = record.first + 0.1;
    run.records.push_back(record);
  }
  run.wall = run.planned_end = 100;
  std::vector<const Record*> by_plan;
  for (const Record& record : run.records) by_plan.push_back(&record);
  const Window window{0, 100, 0};
  const Concurrency concurrency = concurrency_of(by_plan, window);
  CHECK(is_saturated(by_plan, concurrency, window));
  CHECK_FALSE(is_saturated(by_plan, concurrency, window, 1000));
  const Run even = run_of(400, true);
  std::vector<const Record*> of_even;
  for (const Record& record : even.records) of_even.push_back(&record);
  const Window all{0, 40, 0};
  CHECK_FALSE(is_saturated(of_even, concurrency_of(of_even, all), all));
}

TEST_CASE("result: an open loop that is sent late says that the client was the limit") {
  Run run = run_of(100, true);
  for (Record& record : run.records) record.handled = record.plan + 0.005;
  CHECK(result_of(run)["load"]["client_limited"] == true);
  CHECK(verdict_of(result_of(run), false, false) == Verdict::kClientLimited);
  CHECK(verdict_of(result_of(run), true, false) == Verdict::kOk);
  run.open_loop = false;
  CHECK(result_of(run)["load"]["client_limited"] == false);
}

std::string verdict(const char* text, const Json& result, bool by_interval = false) {
  const auto threshold = parse_threshold(text);
  REQUIRE_MESSAGE(threshold.ok(), text);
  return check_threshold(*threshold, result, by_interval).value()["verdict"];
}

TEST_CASE("threshold: figures, units and signs") {
  const Json result = result_of(run_of(100, false), "ttft:1s");
  CHECK(verdict("p50_ttft>10ms", result) == "fail");
  CHECK(verdict("p50_ttft>0.01s", result) == "fail");
  CHECK(verdict("p50_ttft>1s", result) == "pass");
  CHECK(verdict("mean_tpot>=5", result) == "fail");
  CHECK(verdict("mean_tpot>5.01", result) == "pass");
  CHECK(verdict("max_itl<5ms", result) == "pass");
  CHECK(verdict("goodput<95%", result) == "pass");
  CHECK(verdict("goodput<100req/s", result) == "fail");
  CHECK(verdict("error_rate>0.1%", result) == "pass");
  CHECK(verdict("error_rate.timeout>=0%", result) == "fail");
  CHECK(verdict("output_tps<5000", result) == "fail");
  CHECK(verdict("ci_hi_ttft>30ms", result) == "pass");
  // 100 requests say nothing of the 99th percentile: that is no pass.
  CHECK(verdict("p99_ttft>200ms", result) == "inconclusive");
}

TEST_CASE("threshold: in open loop the time to first token is counted from when it was due") {
  const Run run = run_of(100, true);
  CHECK(verdict("p50_ttft>25ms", result_of(run)) == "fail");
  CHECK(verdict("p50_ttft_send>25ms", result_of(run)) == "pass");
}

TEST_CASE("threshold: by the interval it fails, passes, or cannot say") {
  Json result = result_of(run_of(100, false));
  result["metrics"]["ttft"]["ci95"]["p50"] = {20, 22};
  CHECK(verdict("p50_ttft>19ms", result, true) == "fail");
  CHECK(verdict("p50_ttft>23ms", result, true) == "pass");
  CHECK(verdict("p50_ttft>21ms", result, true) == "inconclusive");
}

TEST_CASE("threshold: what makes no sense is refused with an example") {
  for (const char* wrong : {"", "p99_ttft", "p99_ttft>", "p99_ttft>x", "p98_ttft>1ms", "ttft>1ms",
                            "p99_speed>1", "p99_ttft>5%", "goodput<5ms", "error_rate.bad>1%",
                            "p99_ttft>5ms@base.json", "p99_ttft>+5%@", "output_tps<nan"}) {
    const auto threshold = parse_threshold(wrong);
    INFO(wrong);
    REQUIRE_FALSE(threshold.ok());
    CHECK(threshold.error().code == ErrorCode::kInvalidArgument);
  }
}

TEST_CASE("threshold: against a baseline only what is significant fails") {
  const test::TemporaryRoot root;
  const std::string base = (root.path() / "base.json").string();
  REQUIRE(write_file_atomically(base, dump_json(result_of(run_of(100, false)))).ok());
  const std::string limit = "p50_ttft>+5%@" + base;
  CHECK(verdict(limit.c_str(), result_of(run_of(100, false))) == "pass");
  CHECK(verdict(limit.c_str(), result_of(run_of(100, false, 0.010))) == "fail");
}

TEST_CASE("verdict: interrupted before errors before limits") {
  Run run = run_of(10, false);
  for (size_t i = 0; i < 6; ++i) run.records[i].failure = Failure::kConnect;
  CHECK(verdict_of(result_of(run), false, false) == Verdict::kErrors);
  run.interrupted = true;
  CHECK(verdict_of(result_of(run), false, false) == Verdict::kInterrupted);
  Json good = result_of(run_of(10, false));
  good["thresholds"] = Json::array({Json{{"verdict", "inconclusive"}, {"value", 3}}});
  CHECK(verdict_of(good, false, false) == Verdict::kOk);
  CHECK(verdict_of(good, false, true) == Verdict::kInconclusive);
  good["thresholds"][0]["value"] = nullptr;
  CHECK(verdict_of(good, false, false) == Verdict::kInconclusive);
}

TEST_CASE("compare: the same is ~, slower is worse, another load is refused") {
  const Json a = result_of(run_of(200, false)), b = result_of(run_of(200, false)),
             slow = result_of(run_of(200, false, 0.010));
  for (const Json& row : compare_results(a, b, {})["rows"]) CHECK(row["verdict"] == "~");
  const Json report = compare_results(a, slow, {});
  CHECK(report["rows"][0]["metric"] == "p50_ttft");
  CHECK(report["rows"][0]["verdict"] == "worse");
  CHECK(report["rows"][0]["delta"] == Approx(49.3).epsilon(0.02));
  CHECK(report["geomean"]["latency"].get<double>() > 5);
  CHECK(incomparable(a, b).empty());
  Json other = b;
  other["config"]["count"] = 6;
  CHECK(incomparable(a, other).empty());
  other["config"]["model"] = "n";
  other["fingerprint"]["machine"]["cpu"] = "b";
  CHECK(incomparable(a, other).size() == 2);
}

TEST_CASE("read_result: takes what result_json gives, and refuses what is damaged anywhere") {
  test::TemporaryRoot root;
  const std::string path = (root.path() / "r.json").string();
  const Json result = result_of(run_of(60, true), "ttft:50");
  const auto read = [&](const Json& tree) {
    root.file("r.json", dump_json(tree));  // a plain write: it happens some thousand times
    return read_result(path);
  };
  CHECK(read(result).ok());
  // Each key in turn missing, and each value of another kind: an error, or a page; never a crash.
  const Json flat = result.flatten();
  int refused = 0;
  for (const auto& item : flat.items()) {
    if (item.key().find("/samples") == 0 || item.key().find("/cdf/") != std::string::npos) continue;
    for (const Json& wrong : {Json("x"), Json(nullptr), Json::object(), Json::array({1})}) {
      Json damaged = result;
      damaged[Json::json_pointer(item.key())] = wrong;
      const auto back = read(damaged);
      refused += !back.ok();
      if (!back) {
        CHECK(back.error().code == ErrorCode::kDataRefused);
        continue;
      }
      CHECK(result_page(*back).size() > 1000);
      CHECK(result_csv(*back).size() > 100);
      incomparable(result, *back);
      // It draws thousands of times, and reads no more than these.
      if (item.key().starts_with("/throughput") || item.key() == "/load/mode")
        compare_results(result, *back, {});
    }
  }
  CHECK(refused > 300);
  CHECK(read(Json{{"schema", "other"}}).error().code == ErrorCode::kDataRefused);
}

TEST_CASE("page: one file without references, every text escaped") {
  Run run = run_of(60, true);
  run.records[3].failure = Failure::kStatus;
  run.records[3].error = "<script>alert(1)</script>";
  Json result = result_of(run, "ttft:50");
  result["config"]["model"] = "</title><b>";
  const std::string page = result_page(result);
  CHECK(page.starts_with("<!DOCTYPE html>"));
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("</title><b>") == std::string::npos);
  CHECK(page.find("http") == std::string::npos);
  CHECK(page.find("nan") == std::string::npos);
  CHECK(page.find("url(") == std::string::npos);
  size_t plots = 0;
  for (size_t at = 0; (at = page.find("<svg", at)) != std::string::npos; ++at) ++plots;
  CHECK(plots == 8);
  CHECK(result_page(result_of(Run{})).find("nothing to show") != std::string::npos);
}

TEST_CASE("files: CSV has a row a metric, JSON lines one a request") {
  const Run run = run_of(60, true);
  const std::string csv = result_csv(result_of(run));
  CHECK(
      csv.starts_with("metric,unit,value,n,mean,std,min,max,p50,p90,p95,p99,p99.9\nttft,ms,,60,"));
  CHECK(csv.find("\nrps,req/s,") != std::string::npos);
  const std::string lines = requests_jsonl(run);
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 60);
  const auto first = parse_json(lines.substr(0, lines.find('\n')));
  CHECK((*first)["ttft"] == Approx(20));
  CHECK((*first)["itl"].size() == 10);
}

}  // namespace
}  // namespace aictl::load
