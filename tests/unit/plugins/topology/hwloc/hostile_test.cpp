#include <chrono>
#include <cstdlib>

#include <fmt/format.h>

#include "plugins/topology/hwloc/rehearse.hpp"
#include "tests/unit/plugins/topology/hwloc/captures.hpp"

namespace {

using namespace aictl;

constexpr std::string_view kSmall = R"(<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE topology SYSTEM "hwloc2.dtd">
<topology version="2.0">
  <object type="Machine" os_index="0" cpuset="0x3" complete_cpuset="0x3" allowed_cpuset="0x3" nodeset="0x1" complete_nodeset="0x1" allowed_nodeset="0x1" gp_index="1">
    <object type="NUMANode" os_index="0" cpuset="0x3" complete_cpuset="0x3" nodeset="0x1" complete_nodeset="0x1" gp_index="2" local_memory="1024"/>
    <object type="PU" os_index="0" cpuset="0x1" complete_cpuset="0x1" nodeset="0x1" complete_nodeset="0x1" gp_index="3"/>
    <object type="PU" os_index="1" cpuset="0x2" complete_cpuset="0x2" nodeset="0x1" complete_nodeset="0x1" gp_index="4"/>
  </object>
</topology>
)";

std::string with(std::string_view from, std::string_view to) {
  std::string text(kSmall);
  const size_t at = text.find(from);
  REQUIRE(at != text.npos);
  return text.replace(at, from.size(), to);
}

// What it is refused with; fails when it is not, or when that takes long.
std::string refusal(std::string_view bytes) {
  const auto start = std::chrono::steady_clock::now();
  const auto topology = HwlocSource().import(bytes, {});
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
  REQUIRE_FALSE(topology.ok());
  CHECK(topology.error().code == ErrorCode::kDataRefused);
  return topology.error().message;
}

// A machine of `count` PUs with one NUMA node of this index.
std::string machine_of(int count, int node) {
  topology::Bitset cpus, nodes;
  for (int i = 0; i < count; ++i) cpus.set(i);
  nodes.set(node);
  const auto sets = [&](const topology::Bitset& set) {
    return fmt::format(
        "cpuset=\"{0}\" complete_cpuset=\"{0}\" nodeset=\"{1}\" "
        "complete_nodeset=\"{1}\"",
        set.hex(), nodes.hex());
  };
  std::string xml = fmt::format(
      "<topology version=\"2.0\">\n<object type=\"Machine\" {0}>\n<object type=\"NUMANode\" "
      "os_index=\"{1}\" {0}/>\n",
      sets(cpus), node);
  for (int i = count - 1; i >= 0; --i) {  // backwards: sorting is to be no trap
    topology::Bitset self;
    self.set(i);
    xml += fmt::format("<object type=\"PU\" os_index=\"{}\" {}/>\n", i, sets(self));
  }
  return xml + "</object>\n</topology>\n";
}

TEST_CASE("hwloc xml: the small machine the others are made of reads") {
  const Topology topology = must_import(kSmall);
  CHECK(topology::objects_of(topology, topology::ObjectType::kPu).size() == 2);
  CHECK(topology::host_memory(topology) == 1024);
}

TEST_CASE(
    "hwloc xml: libhwloc falls over a machine of which nothing is allowed; this process does not") {
  const std::string xml = with("allowed_cpuset=\"0x3\"", "allowed_cpuset=\"0x4\"");
  const std::string nowhere = "allowed_nodeset=\"0x1\"";
  CHECK_FALSE(refusal(std::string(xml).replace(xml.find(nowhere), nowhere.size(),
                                               "allowed_nodeset=\"0x0\""))
                  .empty());
  CHECK_FALSE(refusal(xml).empty());
}

TEST_CASE("hwloc: a rehearsal tells how it went") {
  CHECK(hwloc::rehearse([] { return true; }) == hwloc::Rehearsal::kRead);
  CHECK(hwloc::rehearse([] { return false; }) == hwloc::Rehearsal::kRefused);
  CHECK(hwloc::rehearse([]() -> bool { std::abort(); }) == hwloc::Rehearsal::kFell);
}

TEST_CASE("hwloc xml: a file cut anywhere is refused with the place") {
  const fs::path file = fs::path(AICTL_TEST_DATA) / "topologies/09-laptop-raptorlake-hybrid.xml";
  const std::string bytes = bytes_of(file);
  REQUIRE(bytes.size() > 10000);
  for (size_t size = 0; size < bytes.rfind("</topology>"); size += 97)
    CHECK(refusal(bytes.substr(0, size)).find("line ") == 0);
}

TEST_CASE("hwloc xml: broken nesting, entities and bytes are refused with line and column") {
  CHECK(refusal("").find("before its first element") != std::string::npos);
  CHECK(refusal(with("</object>", "</objekt>")) ==
        "line 8, column 3: </objekt> where </object> is due");
  CHECK(refusal(with("\"Machine\"", "\"\xff\"")).find("byte 0xff") != std::string::npos);
  CHECK(refusal(with("os_index=\"0\"", "os_index=\"0")).find("line ") == 0);
  CHECK(refusal(with("\"hwloc2.dtd\"", "[<!ENTITY a \"b\">]")).find("document type") !=
        std::string::npos);
  CHECK(refusal(with("\"Machine\"", "\"&lol;\"")).find("stands for nothing") != std::string::npos);
  CHECK(refusal(std::string(kSmall) + "<topology/>").find("more after") != std::string::npos);
  CHECK(refusal(with("gp_index=\"3\"", "gp_index=\"3\" gp_index=\"3\"")).find("twice") !=
        std::string::npos);
}

TEST_CASE("hwloc xml: what libhwloc would trip over is refused") {
  const std::pair<std::string, const char*> rows[] = {
      {with("type=\"PU\" os_index=\"0\"", "type=\"PU\" os_index=\"70000\""), "not in 0..65535"},
      {with("type=\"PU\" os_index=\"0\"", "type=\"PU\""), "without os_index"},
      {with("gp_index=\"4\"", "gp_index=\"3\""), "no number of its own"},
      {with("type=\"PU\" os_index=\"1\"", "type=\"PU\" os_index=\"0\""), "is not its os_index"},
      {with("type=\"PU\"", "type=\"Teapot\""), "no type of object"},
      {with("type=\"PU\"", "type=\"Machine\""), "no other"},
      {with(" complete_cpuset=\"0x1\"", ""), "without its cpusets"},
      {with("cpuset=\"0x3\" complete_cpuset=\"0x3\" allowed",
            "cpuset=\"0x7\" complete_cpuset=\"0x7\" allowed"),
       "of which there is no PU"},
      {with("cpuset=\"0x3\"", "cpuset=\"0xf...f\""), "is no set"},
      {with("complete_nodeset=\"0x1\" allowed", "complete_nodeset=\"0x3\" allowed")
           .replace(0, 0, ""),
       ""},
      {with("<object type=\"NUMANode\" os_index=\"0\"", "<object type=\"NUMANode\" os_index=\"1\""),
       "nodeset is not its os_index"},
      {with("local_memory=\"1024\"", "local_memory=\"-5\""), "does not read"},
  };
  for (const auto& row : rows) {
    const auto& [text, why] = row;
    CAPTURE(row.second);
    if (*why == '\0')
      CHECK(HwlocSource().import(text, {}).ok());  // nodes that are not there are no harm
    else
      CHECK(refusal(text).find(why) != std::string::npos);
  }
}

TEST_CASE("hwloc xml: matrices that promise more than they have are refused") {
  const auto matrix = [](std::string_view text) {
    return with("</topology>", std::string(text) + "</topology>");
  };
  CHECK(refusal(matrix("<distances2 type=\"PU\" nbobjs=\"4000000000\" kind=\"5\" "
                       "indexing=\"os\"/>"))
            .find("matrix of '4000000000'") != std::string::npos);
  CHECK(refusal(matrix("<distances2 type=\"PU\" nbobjs=\"2\" kind=\"5\" indexing=\"os\">"
                       "<indexes length=\"4\">0 1 </indexes></distances2>"))
            .find("2 indexes and 0 values") != std::string::npos);
  CHECK(refusal(matrix("<cpukind cpuset=\"0x1\"/><cpukind cpuset=\"0x3\"/>")).find("shares") !=
        std::string::npos);
}

TEST_CASE("hwloc xml: version 3 is refused with the way to export again") {
  const auto topology = HwlocSource().import(with("version=\"2.0\"", "version=\"3.0\""), {});
  REQUIRE_FALSE(topology.ok());
  CHECK(topology.error().code == ErrorCode::kDataRefused);
  CHECK(topology.error().message.find("version 3.0") != std::string::npos);
  CHECK(topology.error().hint.find("--export-xml-flags 2") != std::string::npos);
}

TEST_CASE("hwloc xml: NUMA node 1023 and 4096 PUs read in no time") {
  const auto start = std::chrono::steady_clock::now();
  const Topology topology = must_import(machine_of(4096, 1023));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
  CHECK(topology::objects_of(topology, topology::ObjectType::kPu).size() == 4096);
  CHECK(topology::objects_of(topology, topology::ObjectType::kNuma).front()->os_index == 1023);
}

TEST_CASE("hwloc xml: depth, width and length have bounds") {
  std::string deep = "<topology version=\"2.0\">";
  for (int i = 0; i < 5000; ++i) deep += "<object type=\"Group\">";
  CHECK(refusal(deep).find("nested over") != std::string::npos);
  CHECK(refusal(machine_of(9000, 0)).find("objects in one") != std::string::npos);
  const std::string line(size_t{80} << 20, 'x');
  CHECK(refusal("<topology version=\"2.0\"><object type=\"" + line).find("at most") !=
        std::string::npos);
  CHECK(refusal("<topology name=\"" + line.substr(0, size_t{60} << 20)).find("no end") !=
        std::string::npos);
}

TEST_CASE("hwloc xml: no mutation of a machine crashes, whatever it reads to") {
  // A byte here and there, and numbers swapped for telling ones; the sequence is the same each run.
  const char* const telling[] = {"0",     "1",   "65535", "65536", "-1", "4294967295",    "0xf...f",
                                 "0x0",   "PU",  "Misc",  "Group", "",   "NUMANode",      "0x3",
                                 "Cache", "0-1", "nan",   "1e99",  "7",  "0x80000000,0x0"};
  uint64_t state = 88172645463325252u;
  const auto draw = [&](size_t below) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return size_t(state % below);
  };
  std::vector<std::string> seeds{std::string(kSmall)};
  for (const fs::path& capture : captures())
    if (fs::file_size(capture) < 24000) seeds.push_back(bytes_of(capture));
  int read = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = seeds[size_t(round) % seeds.size()];
    for (size_t i = 0; i <= draw(3); ++i) {
      const size_t quote = text.find("=\"", draw(text.size()));
      const size_t end = quote == text.npos ? quote : text.find('"', quote + 2);
      if (end != text.npos && draw(8) != 0)
        text.replace(quote + 2, end - quote - 2, telling[draw(std::size(telling))]);
      else
        text[draw(text.size())] = char(draw(256));
    }
    const auto topology = HwlocSource().import(text, {});
    read += topology.ok();
    if (!topology.ok()) CHECK(topology.error().code == ErrorCode::kDataRefused);
  }
  CHECK(read > 0);
}

TEST_CASE("hwloc synthetic: a description becomes a machine; an absurd one is refused at once") {
  const auto machine = HwlocSource().synthesise("numa:2 core:8 pu:2");
  REQUIRE(machine.ok());
  REQUIRE(machine->has_value());
  CHECK(topology::objects_of(**machine, topology::ObjectType::kPu).size() == 32);
  for (const char* text : {"", "numa:2 core:999999999 pu:4", "pu:100000", "numa:64 core:64 pu:64",
                           "numa:2(memory=1 core:2 pu:2", "core:0 pu:1", "pu:2 \x01", "teapot:2"}) {
    CAPTURE(text);
    const auto refused = HwlocSource().synthesise(text);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == ErrorCode::kInvalidArgument);
  }
}

TEST_CASE("hwloc synthetic: 4096 CPUs side by side read in time, more are refused at once") {
  const auto start = std::chrono::steady_clock::now();
  const auto flat = HwlocSource().synthesise("pu:4096");
  REQUIRE(flat.ok());
  CHECK((*flat)->objects.size() == 4098);
  CHECK(HwlocSource().synthesise("pack:16 core:32 pu:32").ok());
  const auto refused = std::chrono::steady_clock::now();
  for (const char* words : {"pu:8585", "8585", "core:8 pu:2048", "pack:2 pu:8192"}) {
    CAPTURE(words);
    const auto made = HwlocSource().synthesise(words);
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().code == ErrorCode::kInvalidArgument);
  }
  CHECK(std::chrono::steady_clock::now() - refused < std::chrono::milliseconds(100));
  CHECK(refused - start < std::chrono::seconds(10));
}

TEST_CASE("hwloc xml: CPUs that are offline are told from those that are not allowed") {
  const auto settings = [](std::string_view xml) { return must_import(xml).system.settings; };
  CHECK(settings(kSmall).empty());
  const std::string offline = with("complete_cpuset=\"0x3\" allowed_cpuset=\"0x3\"",
                                   "complete_cpuset=\"0x7\" allowed_cpuset=\"0x1\"");
  CHECK(settings(offline).at("offline_cpus") == "2");
  const std::string either = with("complete_cpuset=\"0x3\" allowed_cpuset=\"0x3\"",
                                  "complete_cpuset=\"0x7\" allowed_cpuset=\"0x3\"");
  CHECK(settings(either).at("absent_cpus") == "2");
  CHECK_FALSE(settings(either).contains("offline_cpus"));
}

}  // namespace
