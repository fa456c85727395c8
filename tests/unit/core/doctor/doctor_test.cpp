#include <doctest/doctest.h>

#include <set>

#include "tests/support/temporary_root.hpp"
#include "tests/unit/core/doctor/machine.hpp"

namespace aictl::doctor {
namespace {

using namespace test;  // NOLINT: a test's own words

TEST_CASE("doctor: there are 28 rules, T01 to T28, each with what it needs") {
  std::set<std::string_view> titles;
  REQUIRE(rules().size() == 28);
  for (size_t i = 0; i < rules().size(); ++i) {
    CHECK(rules()[i].id == fmt::format("T{:02}", i + 1));
    CHECK_FALSE(rules()[i].needs.empty());
    titles.insert(rules()[i].title);
  }
  CHECK(titles.size() == 28);
}

TEST_CASE("doctor: a healthy machine has no findings, and all but unmeasured copies are checked") {
  const std::vector<Topology> samples{healthy(), healthy()};
  const Workload workload = settled();
  const auto report = examine({samples, std::chrono::seconds(2), workload}, {});
  REQUIRE(report.ok());
  for (const Finding& finding : report->findings) MESSAGE(finding.rule << ": " << finding.title);
  CHECK(report->findings.empty());
  REQUIRE(report->skipped.size() == 1);
  CHECK(report->skipped[0].rule == "T09");
}

TEST_CASE("doctor: an empty topology crashes no rule, and each says why it did not look") {
  const std::vector<Topology> samples(1);
  const Workload workload;
  const auto report = examine({samples, {}, workload}, {});
  REQUIRE(report.ok());
  CHECK(report->findings.empty());
  CHECK(report->skipped.size() == 28);
  for (const Skipped& skipped : report->skipped) CHECK_FALSE(skipped.why.empty());
}

TEST_CASE("doctor: errors come first, then what costs more; the last word is the first") {
  Topology machine = healthy();
  machine.gpus[0].persistence = false;
  machine.gpus[0].power_limit_watts = 100;
  machine.gpus[1].ecc_uncorrected = 1;
  const std::vector<Topology> samples{machine};
  const Workload workload = settled();
  const auto report = examine({samples, {}, workload}, {});
  REQUIRE(report->findings.size() == 3);
  CHECK(report->findings[0].rule == "T08");
  CHECK(report->findings[1].rule == "T07");
  CHECK(report->findings[2].rule == "T26");
  CHECK(last_word(*report).starts_with("What costs most: gpu1: uncorrectable memory errors (T08)"));
  const Json tree = to_json(*report);
  CHECK(tree["errors"] == 1);
  CHECK(tree["warnings"] == 2);
  CHECK(tree["findings"][0]["severity"] == "error");
}

TEST_CASE("doctor: a rule that does not exist is refused with its neighbour") {
  const std::vector<Topology> samples(1);
  const Workload workload;
  const std::vector<std::string> only{"T1"};
  const auto report = examine({samples, {}, workload}, only);
  REQUIRE_FALSE(report.ok());
  CHECK(report.error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("workload: pages by node, with the size each mapping has") {
  const auto bytes = bytes_by_node(
      "7f00 default anon=3 dirty=3 N0=2 N1=1 kernelpagesize_kB=4\n"
      "7f80 bind:1 huge anon=2 N1=2 kernelpagesize_kB=2048\n"
      "garbage N=3 Nx=9 N0= \xff\n");
  CHECK(bytes.at(0) == 8192);
  CHECK(bytes.at(1) == 4096 + 2 * 2048 * 1024);
}

TEST_CASE("workload: a process by its files") {
  aictl::test::TemporaryRoot root;
  root.file("42/status", "Name:\tengine\nThreads:\t8\nCpus_allowed_list:\t0-3\n")
      .file("42/numa_maps", "7f00 default N0=1 kernelpagesize_kB=4\n")
      .file("42/environ", std::string("HOME=/x\0CUDA_VISIBLE_DEVICES=0,1\0", 32));
  const auto process = read_process(42, root.path());
  REQUIRE(process.ok());
  CHECK(process->command == "engine");
  CHECK(process->threads == 8);
  CHECK(process->cpus.list() == "0-3");
  CHECK(process->bytes_on_node.at(0) == 4096);
  CHECK(process->environment.size() == 1);
  CHECK(read_process(43, root.path()).error().code == ErrorCode::kNotFound);
}

TEST_CASE("workload: weights are a file, or what a folder has of them") {
  aictl::test::TemporaryRoot root;
  root.file("m/a.safetensors", "12345").file("m/b.safetensors", "123").file("m/x.json", "1234");
  CHECK(read_weights(root.path() / "m")->bytes == 8);
  CHECK(read_weights(root.path() / "m/a.safetensors")->bytes == 5);
  CHECK(read_weights(root.path()).error().code == ErrorCode::kInvalidArgument);
  CHECK(read_weights(root.path() / "none").error().code == ErrorCode::kNotFound);
}

TEST_CASE("workload: the kubelet's policy and how many nodes it aligns") {
  aictl::test::TemporaryRoot root;
  root.file("a.yaml",
            "kind: KubeletConfiguration\ntopologyManagerPolicy: restricted\n"
            "topologyManagerPolicyOptions:\n  max-allowable-numa-nodes: \"40\"\n")
      .file("b.yaml", "- no\n");
  CHECK(read_kubelet(root.path() / "a.yaml")->policy == "restricted");
  CHECK(read_kubelet(root.path() / "a.yaml")->max_numa_nodes == 40);
  CHECK(read_kubelet(root.path() / "b.yaml").error().code == ErrorCode::kDataRefused);
}

}  // namespace
}  // namespace aictl::doctor
