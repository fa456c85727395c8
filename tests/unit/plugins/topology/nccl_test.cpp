#include "plugins/topology/nccl/nccl.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <numeric>
#include <sstream>

#include "core/topology/devices.hpp"
#include "core/topology/groups.hpp"
#include "core/topology/xml/nccl.hpp"
#include "plugins/topology/nccl/xml.hpp"
#include "tests/unit/core/topology/made_machine.hpp"

namespace {

using namespace aictl;
namespace fs = std::filesystem;
using topology::Level;
using topology::LinkSource;
using topology::ObjectType;

std::string bytes_of(const fs::path& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

Topology must_read(std::string_view text) {
  auto topology = NcclSource().import(text, {});
  REQUIRE_MESSAGE(topology.ok(), topology.error().message);
  topology::finish(*topology);
  return *std::move(topology);
}

Topology data(const std::string& name) {
  return must_read(bytes_of(fs::path(AICTL_TEST_DATA) / "topologies/nccl" / name));
}

std::string refusal(std::string_view text) {
  const auto topology = NcclSource().import(text, {});
  REQUIRE_FALSE(topology.ok());
  CHECK(topology.error().code == ErrorCode::kDataRefused);
  return topology.error().message;
}

const topology::Link& link(const Topology& topology, std::string_view a, std::string_view b) {
  const topology::Link* found = find_link(topology, a, b);
  REQUIRE(found != nullptr);
  return *found;
}

Json matrix_of(const Topology& topology) {
  std::vector<int> all(topology.gpus.size());
  std::iota(all.begin(), all.end(), 0);
  return topology::matrix_json(topology, all);
}

TEST_CASE("nccl: links to four switches make one fabric of 18 links") {
  const Topology oci = data("oci-h100-topology.xml");
  REQUIRE(oci.gpus.size() == 8);
  CHECK(oci.nvswitches == 4);
  CHECK(oci.nics.size() == 16);
  CHECK(oci.gpus[0].compute_capability == "9.0");
  CHECK(oci.gpus[0].architecture == "Hopper");
  CHECK(oci.gpus[0].nvlink_active == 18);
  CHECK(oci.gpus[0].pci->text() == "0000:0f:00.0");
  const topology::Link& pair = link(oci, "gpu0", "gpu7");
  CHECK(pair.word() == "NV18");
  CHECK(pair.gbs == doctest::Approx(450));
  CHECK(pair.note.empty());  // they share switches
  CHECK(matrix_of(oci)["nvlink_full_mesh"] == true);
  CHECK(link(oci, "gpu0", "nic0").level == Level::kPxb);  // through two more switches
  CHECK(oci.nics[0].name == "mlx5_0");
  CHECK(oci.nics[0].gbs == doctest::Approx(22.5));
}

TEST_CASE("nccl: links to oneself are told as unresolved, and the way is PCI Express") {
  const Topology azure = data("azure-nc-a100-v4-topo.xml");
  REQUIRE(azure.gpus.size() == 4);
  CHECK(azure.gpus[0].nvlink_active == 12);
  CHECK(link(azure, "gpu0", "gpu1").level == Level::kSys);
  REQUIRE(azure.warnings.size() == 1);
  CHECK(azure.warnings[0].code == "nvlink_unresolved");
  REQUIRE(azure.nics.size() == 1);  // a virtual one, without a bus
  CHECK(azure.nics[0].name == "eth0");
  CHECK(azure.nics[0].nodeset.list() == "0");
  CHECK_FALSE(azure.gpus[0].pcie_gbs);  // link_speed="" link_width="0"
}

TEST_CASE("nccl: functions without children are what their class says, under invented switches") {
  const Topology aws = data("aws-p4d-24xl-topo.xml");
  REQUIRE(aws.gpus.size() == 8);
  REQUIRE(aws.nics.size() == 4);
  CHECK(link(aws, "gpu0", "gpu1").level == Level::kPix);
  CHECK(link(aws, "gpu0", "gpu2").level == Level::kPhb);
  CHECK(link(aws, "gpu0", "gpu4").level == Level::kSys);
  CHECK(link(aws, "gpu0", "nic0").level == Level::kPix);
  CHECK(link(aws, "gpu0", "gpu1").gbs == doctest::Approx(15.754).epsilon(0.001));
  CHECK(link(aws, "gpu0", "gpu4").gbs == doctest::Approx(10));  // Xeon of family 6, model 85
  CHECK(aws.gpus[4].cpuset.list() == "24-47,72-95");
  CHECK(objects_of(aws, ObjectType::kPu).size() == 96);
}

TEST_CASE("nccl: XGMI joins AMD's GPUs; a pair without a link goes over PCI Express") {
  const Topology rccl = data("rccl-8gpu-6link.xml");
  REQUIRE(rccl.gpus.size() == 8);
  CHECK(rccl.gpus[0].vendor == "AMD");
  int direct = 0, others = 0;
  for (const topology::Link& one : rccl.links) {
    if (!one.b.starts_with("gpu")) continue;
    (one.level == Level::kNv ? direct : others) += 1;
    if (one.level == Level::kNv) CHECK(one.medium == topology::Medium::kXgmi);
  }
  CHECK(direct == 24);  // six a GPU
  CHECK(others == 4);
}

/// Compares what matters of two machines: the second was written from the first.
void check_same(const Topology& a, const Topology& b) {
  REQUIRE(a.gpus.size() == b.gpus.size());
  for (size_t i = 0; i < a.gpus.size(); ++i) {
    CHECK(a.gpus[i].pci == b.gpus[i].pci);
    CHECK(a.gpus[i].cpuset == b.gpus[i].cpuset);
    CHECK(a.gpus[i].compute_capability == b.gpus[i].compute_capability);
  }
  CHECK(matrix_of(a) == matrix_of(b));
  CHECK(a.links == b.links);
}

TEST_CASE("nccl: what is written reads back the same") {
  for (const char* name :
       {"oci-h100-topology.xml", "aws-p4d-24xl-topo.xml", "rccl-8gpu-6link.xml"}) {
    CAPTURE(name);
    const Topology first = data(name);
    const auto text = topology::to_nccl_xml(first);
    REQUIRE(text.ok());
    const Topology second = must_read(*text);
    check_same(first, second);
    CHECK(first.objects.size() == second.objects.size());
    CHECK(*topology::to_nccl_xml(second) == *text);
  }
}

TEST_CASE("nccl: every published file reads, and its copy reads the same") {
  const fs::path folder = fs::path(AICTL_SHARED) / "topologies/nccl";
  if (!fs::exists(folder)) {
    MESSAGE("skipped: no ", folder.string());
    return;
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    CAPTURE(entry.path().string());
    const std::string bytes = bytes_of(entry.path());
    CHECK(NcclSource().recognises(bytes));
    if (bytes.find("<graphs") != std::string::npos) continue;
    const Topology first = must_read(bytes);
    const auto text = topology::to_nccl_xml(first);
    REQUIRE(text.ok());
    check_same(first, must_read(*text));
  }
}

TEST_CASE("nccl: a function with functions below it is a switch, whatever its class") {
  const Topology odd = must_read(
      "<system><cpu numaid=\"0\"><pci busid=\"1:0.0\" class=\"0x088000\"><pci busid=\"2:0.0\" "
      "class=\"0x030200\"/>"
      "<pci busid=\"3:0.0\" class=\"0x030200\"/></pci></cpu></system>");
  REQUIRE(odd.gpus.size() == 2);
  CHECK(link(odd, "gpu0", "gpu1").level == Level::kPix);
}

TEST_CASE("nccl: ports are folded into switches when a machine is written") {
  topology::MadeMachine made(2);
  const int root = made.bridge(made.host_bridge(0), "0000:01:00.0", 31.5077);
  const int upstream = made.bridge(root, "0000:02:00.0", 31.5077);
  made.nvidia(made.bridge(upstream, "0000:03:00.0"), "0000:04:00.0", 31.5077);
  made.nvidia(made.bridge(upstream, "0000:03:01.0"), "0000:05:00.0", 31.5077);
  const int inner = made.bridge(made.bridge(upstream, "0000:03:02.0"), "0000:06:00.0", 15.7538);
  made.nvidia(made.bridge(inner, "0000:07:00.0"), "0000:08:00.0", 31.5077);
  made.nvidia(made.bridge(made.host_bridge(1), "0000:80:00.0"), "0000:81:00.0");
  topology::finish(made.topology);
  const auto text = topology::to_nccl_xml(made.topology);
  REQUIRE(text.ok());
  CHECK(text->find("0000:01:00.0") == std::string::npos);  // the root port
  CHECK(text->find("0000:03:00.0") == std::string::npos);  // a downstream port
  CHECK(text->find("busid=\"0000:06:00.0\" class=\"0x060400\" link_speed=\"8.0 GT/s PCIe\" "
                   "link_width=\"16\"") != std::string::npos);
  const Topology again = must_read(*text);
  CHECK(matrix_of(again)["gpu_links"] == matrix_of(made.topology)["gpu_links"]);
  CHECK(link(again, "gpu0", "gpu1").level == Level::kPix);
  CHECK(link(again, "gpu0", "gpu2").level == Level::kPxb);
  CHECK(link(again, "gpu0", "gpu2").gbs == doctest::Approx(15.754).epsilon(0.001));
  CHECK(link(again, "gpu0", "gpu3").level == Level::kSys);
}

TEST_CASE("nccl: a machine without GPUs has no such file") {
  CHECK(topology::to_nccl_xml(Topology()).error().code == ErrorCode::kUnsupported);
}

TEST_CASE("nccl: a ring graph is no machine") {
  const std::string bytes =
      bytes_of(fs::path(AICTL_TEST_DATA) / "topologies/nccl/azure-nc-a100-v4-graph.xml");
  CHECK(NcclSource().recognises(bytes));
  CHECK(refusal(bytes) == "line 1: <graphs> holds rings that NCCL computed, not a machine");
}

TEST_CASE("nccl: damaged files are refused with the line") {
  const auto system = [](std::string_view inside) {
    return "<system version=\"1\">\n<cpu numaid=\"0\" affinity=\"f\">\n" + std::string(inside) +
           "</cpu></system>";
  };
  CHECK(refusal("") == "line 1: no element");
  CHECK(refusal("<topology/>") == "line 1: the root is <topology>, not <system>");
  CHECK(refusal("<system/>") == "line 1: <system> has no <cpu>");
  CHECK(refusal("<system><cpu numaid=\"4096\"/></system>") ==
        "line 1: numaid=\"4096\" of <cpu> is not in -1..4095");
  CHECK(refusal("<system><cpu numaid=\"0\"/>\n<cpu numaid=\"0\"/></system>") ==
        "line 2: a second <cpu> with numaid 0");
  CHECK(refusal("<system><cpu affinity=\"zz\"/></system>").starts_with("line 1: affinity: "));
  CHECK(refusal(system("<pci busid=\"nowhere\"/>")) ==
        "line 3: busid=\"nowhere\" is no PCI address");
  CHECK(refusal(system("<pci busid=\"0:1:2.0\"/>\n<pci busid=\"0:1:2.0\"/>")) ==
        "line 4: a second <pci> with busid 0000:01:02.0");
  CHECK(refusal(system("<pci busid=\"1:2.0\" class=\"tape\"/>")) ==
        "line 3: class=\"tape\" of <pci> is not in 0..16777215");
  CHECK(refusal(system("<nic><net/></nic>")) == "line 3: a <net> without a name");
  CHECK(refusal(system("<pci busid=\"1:2.0\" class=\"0x030200\"><gpu sm=\"90\"><nvlink "
                       "count=\"-1\"/></gpu></pci>")) ==
        "line 3: count=\"-1\" of <nvlink> is not in 0..1000");
}

TEST_CASE("nccl xml: what is not well-formed is refused with the line") {
  const auto message = [](std::string_view text) { return nccl::parse_xml(text).error().message; };
  CHECK(message("<a>") == "line 1: the file ends inside <a> of line 1");
  CHECK(message("<a>\n</b>") == "line 2: </b> closes <a> of line 1");
  CHECK(message("</a>") == "line 1: </a> closes nothing");
  CHECK(message("<a/>\n<b/>") == "line 2: a second root element");
  CHECK(message("<a x=\"1\" x=\"2\"/>") == "line 1: attribute 'x' of <a> stands there twice");
  CHECK(message("<a x=1/>") == "line 1: attribute 'x' of <a> is not quoted");
  CHECK(message("<a x/>") == "line 1: attribute 'x' of <a> has no value");
  CHECK(message("<a x=\"&bomb;\"/>") == "line 1: '&bomb' is no entity");
  CHECK(message("<a x=\"&#10;\"/>") == "line 1: '&#10' is no entity");
  CHECK(message("<a x=\"\x01\"/>") == "line 1: character 1 in an attribute");
  CHECK(message("<!DOCTYPE a [<!ENTITY b \"c\">]><a/>") == "line 1: document types are not read");
  CHECK(message("<a>text</a>") == "line 1: text outside of tags");
  CHECK(message("<!-- \n") == "line 1: a comment does not end");
  CHECK(message("< a/>") == "line 1: a tag without a name");
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  CHECK(message(deep) == "line 1: elements more than 64 deep");
  std::string wide = "<a>";
  for (int i = 0; i < 100'001; ++i) wide += "<b/>";
  CHECK(message(wide) == "line 1: more than 100000 elements");
}

TEST_CASE("nccl xml: declarations, comments and entities are read") {
  const auto root = nccl::parse_xml(
      "\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- a <b> -->\n<a "
      "x='&lt;&#65;&#x42;'>\n<b/></a>\n<!---->");
  REQUIRE(root.ok());
  CHECK(root->attribute("x") == "<AB");
  CHECK_FALSE(root->attribute("y"));
  REQUIRE(root->children.size() == 1);
  CHECK(root->children[0].line == 4);
  CHECK_FALSE(NcclSource().recognises("<?xml version=\"1.0\"?><topology version=\"2.0\">"));
}

}  // namespace
