// The doctor over the captures of real machines: no errors, and warnings only with cause.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "core/doctor/doctor.hpp"
#include "core/plugin/plugins.hpp"
#include "plugins/builtin.hpp"

namespace aictl::doctor {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> captures() {
  std::vector<fs::path> files;
  for (const char* folder : {"", "nvidia-smi", "nccl"}) {
    const fs::path at = fs::path(AICTL_SHARED) / "topologies" / folder;
    std::error_code absent;
    for (const auto& entry : fs::directory_iterator(at, absent))
      if (entry.path().extension() == ".xml" || entry.path().extension() == ".txt")
        files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> found_in(const Report& report) {
  std::vector<std::string> ids;
  for (const Finding& finding : report.findings) {
    ids.push_back(finding.rule);
    MESSAGE(finding.rule << " " << finding.title << ": " << finding.evidence);
  }
  return ids;
}

TEST_CASE("doctor: the captured machines have no errors, and no warnings without cause") {
  // What is truly wrong with them, or odd.
  const std::map<std::string, std::vector<std::string>> known = {
      {"06-gb200-4gpu", {"T23"}},        // the GPUs' memory is nodes 2, 10, 18 and 26
      {"14-4gpu-vm-all-sys", {"T20"}}};  // SYS everywhere, and one node
  const auto files = captures();
  if (files.empty()) MESSAGE("skipped: the captures are not here");
  Plugins plugins;
  add_builtin(plugins);
  const Workload workload;
  for (const fs::path& file : files) {
    if (file.filename().string().find("graph") != std::string::npos) continue;  // no machine
    INFO(file.filename().string());
    TopologyInput input;
    input.file = file.string();
    auto machine = read_topology(plugins, input);
    if (!machine) MESSAGE(file.filename().string() << ": " << machine.error().message);
    REQUIRE(machine.ok());
    const std::vector<Topology> samples{*machine};
    const auto report = examine({samples, {}, workload}, {});
    REQUIRE(report.ok());
    CHECK(report->count(Severity::kError) == 0);
    const auto cause = known.find(file.stem().string());
    const auto expected = cause == known.end() ? std::vector<std::string>{} : cause->second;
    CHECK(found_in(*report) == expected);
  }
}

}  // namespace
}  // namespace aictl::doctor
