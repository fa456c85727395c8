// What -o xml and -o json write is what --input reads, for machines of every source.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "core/base/file.hpp"
#include "core/plugin/plugins.hpp"
#include "core/topology/json.hpp"
#include "core/topology/xml/hwloc.hpp"
#include "plugins/topology/hwloc/hwloc.hpp"
#include "plugins/topology/json/json.hpp"
#include "plugins/topology/nccl/nccl.hpp"
#include "plugins/topology/nvidia_smi/nvidia_smi.hpp"
#include "plugins/topology/nvml/nvml.hpp"
#include "plugins/topology/sysfs/sysfs.hpp"
#include "tests/support/temporary_root.hpp"

namespace aictl {
namespace {

namespace fs = std::filesystem;

const Plugins& all_sources() {
  static const Plugins plugins = [] {
    Plugins made;
    add_hwloc_topology(made);
    add_sysfs_topology(made);
    add_nvml_topology(made);
    add_nvidia_smi_topology(made);
    add_nccl_topology(made);
    add_json_topology(made);
    return made;
  }();
  return plugins;
}

struct Machine {
  std::string name;
  Topology topology;
};

Topology must_read(const TopologyInput& input) {
  auto topology = read_topology(all_sources(), input);
  REQUIRE_MESSAGE(topology.ok(), topology.error().message);
  return *std::move(topology);
}

Topology of_file(const fs::path& file) {
  TopologyInput input;
  input.file = file;
  return must_read(input);
}

Topology of_root(const fs::path& root) {
  TopologyInput input;
  input.sysroot = root;
  return must_read(input);
}

void add_files(const fs::path& folder, std::vector<Machine>& out) {
  const std::string what = folder.filename();  // "" where the hwloc XMLs are
  std::error_code absent;
  for (const auto& file : fs::directory_iterator(folder, absent)) {
    const std::string kind = file.path().extension();
    const bool rings = file.path().string().ends_with("-graph.xml");  // not a machine
    if ((kind == ".xml" && !rings) || kind == ".txt") {
      out.push_back({file.path().filename(), of_file(file.path())});
      if (kind != ".xml" || !what.empty()) continue;
      TopologyInput whole;
      whole.file = file.path();
      whole.disallowed = true;
      out.push_back({file.path().filename().string() + " --disallowed", must_read(whole)});
    }
    if (kind == ".json" && what == "doctor")
      out.push_back({file.path().filename(), of_file(file.path())});
  }
}

void add_roots(std::vector<Machine>& out) {
  std::error_code absent;
  const fs::path archives = fs::path(AICTL_SHARED) / "topologies/fsroot";
  for (const auto& archive : fs::directory_iterator(archives, absent)) {
    const test::TemporaryRoot root;
    const std::string command = fmt::format("tar -xjf '{}' -C '{}' --strip-components=1",
                                            archive.path().string(), root.path().string());
    REQUIRE(std::system(command.c_str()) == 0);
    out.push_back({archive.path().filename(), of_root(root.path())});
  }
}

/// Two CPUs, a switch, and a GPU below it whose slot is half as wide.
Machine pci_root() {
  test::TemporaryRoot root;
  for (const char* list : {"online", "possible", "present"})
    root.file(fmt::format("sys/devices/system/cpu/{}", list), "0-1\n");
  for (const char* cpu : {"cpu0", "cpu1"})
    root.file(fmt::format("sys/devices/system/cpu/{}/topology/core_cpus", cpu),
              cpu[3] == '0' ? "1\n" : "2\n");
  const std::string bridge = "sys/devices/pci0000:40/0000:40:01.0/";
  const std::string gpu = bridge + "0000:41:00.0/";
  root.pci("pci0000:40", "0000:40:01.0", "0x060400\n", "0x8086\n", 0)
      .pci("pci0000:40/0000:40:01.0", "0000:41:00.0", "0x030200\n", "0x10de\n", 0)
      .file(bridge + "max_link_width", "8\n")
      .file(bridge + "max_link_speed", "16.0 GT/s PCIe\n")
      .file(bridge + "config", std::string(256, '\0'))
      .file(gpu + "current_link_width", "4\n")
      .file(gpu + "max_link_width", "16\n")
      .file(gpu + "current_link_speed", "2.5 GT/s PCIe\n")
      .file(gpu + "max_link_speed", "32.0 GT/s PCIe\n")
      .file("proc/driver/nvidia/gpus/0000:41:00.0/information", "Model: \t Tesla V100\n");
  return {"a root with PCI functions", of_root(root.path())};
}

/// What hwloc has no words for, all at once.
Machine odd_machine() {
  const auto tree = parse_json(R"({"aictl_topology": 1,
    "origin": {"source": "json", "input": "odd", "live": false}, "hostname": "a\u0001\"<b>\uffff",
    "objects": [{"type": "machine", "os": 7, "cpuset": "0-3", "nodeset": "5"},
      {"type": "package", "parent": 0, "os": 0, "cpuset": "0-3", "nodeset": "5"},
      {"type": "numa", "parent": 1, "os": 5, "cpuset": "0-1", "nodeset": "5", "tier": "CXL",
       "read_gbs": 12.345, "latency_ns": 99.5},
      {"type": "cache", "parent": 1, "level": 9, "cpuset": "0-3", "bytes": 1},
      {"type": "core", "parent": 3, "cpuset": "2-3", "complete_cpuset": "1-3"},
      {"type": "pci", "parent": 1, "pci": {"address": "ffffffff:ff:1f.7", "link_width": 4,
       "numa_node": -1}, "infos": [["", "\u0002"], ["aictl.x", "y"]]}],
    "distances": [{"name": "NVLinkCount", "kind": 0, "labels": ["a"], "values": [18446744073709551615]}],
    "gpus": [{"index": 0, "names": []}], "warnings": [{"code": "c", "text": "t"}]})");
  REQUIRE_MESSAGE(tree.ok(), tree.error().message);
  auto topology = topology::from_json(*tree);
  REQUIRE_MESSAGE(topology.ok(), topology.error().message);
  return {"a machine hwloc cannot have", *std::move(topology)};
}

std::vector<Machine> all_machines() {
  std::vector<Machine> out;
  for (const char* data : {AICTL_TEST_DATA, AICTL_SHARED})
    for (const char* folder : {"", "nvidia-smi", "nccl", "doctor"})
      add_files(fs::path(data) / "topologies" / folder, out);
  if (!fs::is_directory(fs::path(AICTL_SHARED)))
    MESSAGE("the shared captures are not here: only those in the tree are read");
  add_roots(out);
  for (const char* words : {"pu:1", "pack:2 numa:2 l3:1 core:8 pu:2", "numa:3 pu:2"}) {
    TopologyInput input;
    input.synthetic = words;
    out.push_back({words, must_read(input)});
  }
  out.push_back({"this machine", must_read({})});
  out.push_back(pci_root());
  out.push_back(odd_machine());
  Topology nothing;
  nothing.origin = {"json", "nothing", false};
  out.push_back({"nothing", nothing});
  return out;
}

Result<std::string> xml_of(const Topology& topology) {
  return topology::to_hwloc_xml(
      topology, [](const std::string& xml) { return import_topology(all_sources(), xml); });
}

/// The machine as its JSON; a dump is of no machine that lives.
std::string text_of(Topology topology, const std::string& file) {
  topology.origin.live = false;
  if (topology.origin.input.empty()) topology.origin.input = file;
  return dump_json(topology::to_json(topology));
}

/// "" when lstopo reads `file` without a word; what it said otherwise.
std::string lstopo_says(const fs::path& file, const fs::path& notes) {
  const std::string command = fmt::format(
      "HWLOC_XML_VERBOSE=1 lstopo-no-graphics --input '{}' --of console >/dev/null 2>'{}'",
      file.string(), notes.string());
  const bool done = std::system(command.c_str()) == 0;
  const auto said = read_file(notes);
  REQUIRE(said.ok());
  return done || !said->empty() ? *said : "it failed";
}

TEST_CASE("xml: machines of every source come back equal, byte for byte, and lstopo reads them") {
  const bool lstopo = std::system("command -v lstopo-no-graphics >/dev/null") == 0;
  if (!lstopo) MESSAGE("hwloc-nox is not installed: lstopo is not asked");
  const test::TemporaryRoot folder;
  for (const Machine& machine : all_machines()) {
    CAPTURE(machine.name);
    const auto xml = xml_of(machine.topology);
    REQUIRE_MESSAGE(xml.ok(), xml.error().message);
    const fs::path file = folder.path() / "machine.xml";
    std::ofstream(file, std::ios::binary) << *xml;
    const std::string want = text_of(machine.topology, file), got = text_of(of_file(file), "");
    CHECK(want == got);
    if (want != got) {
      const auto a = parse_json(want), b = parse_json(got);
      MESSAGE(dump_json(Json::diff(*a, *b)).substr(0, 600));
    }
    TopologyInput whole;
    whole.file = file;
    whole.disallowed = true;
    CHECK(text_of(must_read(whole), "") == want);
    if (lstopo) CHECK(lstopo_says(file, folder.path() / "notes") == "");
  }
}

TEST_CASE("json: machines of every source come back equal, byte for byte") {
  const test::TemporaryRoot folder;
  for (const Machine& machine : all_machines()) {
    CAPTURE(machine.name);
    const fs::path file = folder.path() / "machine.json";
    std::ofstream(file, std::ios::binary) << dump_json(topology::to_json(machine.topology));
    CHECK(text_of(of_file(file), "") == text_of(machine.topology, file));
  }
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const size_t at = text.find(what);
  REQUIRE(at != text.npos);
  return text.replace(at, what.size(), with);
}

TEST_CASE("xml: a tree somebody changed is read as it is, and a warning says what is left out") {
  const Machine odd = odd_machine();
  const auto xml = xml_of(odd.topology);
  REQUIRE(xml.ok());
  const auto changed =
      import_topology(all_sources(), replaced(*xml, "local_memory=\"0\"", "local_memory=\"4096\""));
  REQUIRE_MESSAGE(changed.ok(), changed.error().message);
  CHECK(topology::host_memory(*changed) == 4096);
  CHECK(changed->gpus.size() == 1);
  CHECK(changed->warnings.back().code == "xml_changed");
}

TEST_CASE("xml: what somebody else wrote under our names is refused, and the info named") {
  const auto xml = xml_of(odd_machine().topology);
  REQUIRE(xml.ok());
  const std::string name = "<info name=\"aictl.gpus\" value=\"";
  for (const char* value : {"", "[", "3", "[{&quot;index&quot;:-2}]"}) {
    CAPTURE(value);
    const size_t start = xml->find(name) + name.size();
    std::string text = *xml;
    text.replace(start, text.find('"', start) - start, value);
    const auto read = import_topology(all_sources(), text);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().code == ErrorCode::kDataRefused);
    CHECK(read.error().message.find("gpus") != std::string::npos);
  }
  const std::pair<std::string, std::string> changes[] = {
      {"{&quot;digest&quot;:", "{&quot;digits&quot;:"},
      {"&quot;count&quot;:", "&quot;count&quot;:99999999999"},
      {"&quot;rows&quot;:[[0,", "&quot;rows&quot;:[[77,"}};
  for (const auto& change : changes) {
    CAPTURE(change.first);
    const auto read = import_topology(all_sources(), replaced(*xml, change.first, change.second));
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().code == ErrorCode::kDataRefused);
    CHECK(read.error().message.find("objects") != std::string::npos);
  }
}

}  // namespace
}  // namespace aictl
