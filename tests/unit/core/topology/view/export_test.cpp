#include <doctest/doctest.h>

#include <map>

#include "core/topology/diff/diff.hpp"
#include "core/topology/view/export/export.hpp"
#include "core/topology/view/picture/picture.hpp"
#include "core/topology/view/route.hpp"
#include "tests/unit/core/topology/view/made_server.hpp"

using namespace aictl;
using namespace aictl::topology;
using namespace aictl::topology::view;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("nrt: a zone a memory node, with costs, huge pages and GPUs") {
  MadeServer server(2, 4, 4);
  server.topology.hostname = "Node_7.example.";
  server.topology.allowed_cpuset = *Bitset::parse_list("0-5,8-15");
  server.topology.distances = {
      {"NUMALatency", 5, {"NUMANode:0", "NUMANode:1"}, {}, {10, 21, 21, 10}}};
  const Json tree = node_resource_topology(server.topology);
  CHECK(tree["metadata"]["name"] == "node-7.example");
  REQUIRE(tree["zones"].size() == 2);
  const Json& zone = tree["zones"][0];
  CHECK(zone["name"] == "node-0");
  CHECK(zone["costs"][1] == Json({{"name", "node-1"}, {"value", 21}}));
  std::map<std::string, Json> resources;
  for (const Json& one : zone["resources"]) resources[one["name"]] = one;
  CHECK(resources["cpu"]["capacity"] == "8");
  CHECK(resources["cpu"]["allocatable"] == "6");
  CHECK(resources["memory"]["capacity"] == "68719476736");
  CHECK(resources["memory"]["allocatable"] == "67645734912");  // 1 GiB of it is huge pages
  CHECK(resources["hugepages-2Mi"]["capacity"] == "1073741824");
  CHECK(resources["nvidia.com/gpu"]["available"] == "2");
}

TEST_CASE("nrt: memory of GPUs is no zone") {
  MadeServer server(2, 4, 0);
  for (Object& object : server.topology.objects)
    if (object.type == ObjectType::kNuma && object.os_index == 1) object.tier = MemoryTier::kGpu;
  CHECK(node_resource_topology(server.topology)["zones"].size() == 1);
}

TEST_CASE("labels: in the words of the discoverers, with legal values") {
  MadeServer server(2, 4, 4);
  server.topology.gpus[0].fabric_cluster = "0c5e-1.7";
  for (Gpu& gpu : server.topology.gpus) gpu.fabric_cluster = "0c5e-1.7";
  std::map<std::string, std::string> labels;
  for (const auto& [key, value] : node_labels(server.topology)) labels[key] = value;
  CHECK(labels["feature.node.kubernetes.io/cpu-hardware_multithreading"] == "true");
  CHECK(labels["feature.node.kubernetes.io/memory-numa"] == "true");
  CHECK(labels["nvidia.com/gpu.product"] == "NVIDIA-H100-80GB-HBM3");
  CHECK(labels["nvidia.com/gpu.count"] == "4");
  CHECK(labels["nvidia.com/gpu.memory"] == "81920");
  CHECK(labels["nvidia.com/gpu.family"] == "hopper");
  CHECK(labels["nvidia.com/gpu.compute.major"] == "9");
  CHECK(labels["nvidia.com/gpu.clique"] == "0c5e-1.7");
  server.topology.gpus[3].fabric_cluster = "other";
  labels.clear();
  for (const auto& [key, value] : node_labels(server.topology)) labels[key] = value;
  CHECK(!labels.contains("nvidia.com/gpu.clique"));
}

TEST_CASE("prometheus: each metric once, with its type, units in its name, text escaped") {
  MadeServer server(1, 4, 2);
  server.link_all(Level::kNv, 18, 450);
  server.topology.gpus[0].model = "a\"b\\c\n";
  const std::string text = prometheus(server.topology);
  CHECK(has(text,
            "# TYPE aictl_topology_memory_bytes gauge\n"
            "aictl_topology_memory_bytes{numa=\"0\",tier=\"DRAM\"} 68719476736\n"));
  CHECK(has(text, "a=\"gpu0\",b=\"gpu1\",level=\"NV18\",source=\"table\"} 450000000000\n"));
  CHECK(has(text, "model=\"a\\\"b\\\\c?\""));
  CHECK(text.find("# TYPE aictl_topology_gpu_info") ==
        text.rfind("# TYPE aictl_topology_gpu_info"));
}

TEST_CASE("svg: well-formed whatever names hold, and nothing from elsewhere") {
  MadeServer server(2, 8, 8);
  server.link_all(Level::kNv, 18, 450);
  server.topology.hostname = "<script>&\"\xff\x01";
  server.topology.nics.emplace_back().name = "a<b>&c";
  const std::string text = svg(server.topology);
  CHECK(has(text, "&lt;script&gt;&amp;&quot;??"));
  CHECK(!has(text, "<script"));
  CHECK(!has(text, "href"));
  CHECK(text.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  CHECK(text.ends_with("</svg>\n"));
  CHECK(has(text, "NV18 450 GB/s between any two GPUs"));
  CHECK(has(html(server.topology), "<h2>GPU links</h2>"));
  CHECK(svg({}).ends_with("</svg>\n"));
}

TEST_CASE("picture: devices say their memory node unless their place does") {
  const auto chip = [](int packages) {
    return has(svg(MadeServer(packages, 1, 8).topology), ">numa 3<");
  };
  CHECK(chip(8));        // one tray for all
  CHECK_FALSE(chip(4));  // a tray under each package
  MadeServer one(1, 4, 1);
  CHECK_FALSE(has(svg(one.topology), ">numa 0<"));
}

TEST_CASE("diff: names and serial numbers tell no machines apart, parts do") {
  MadeServer a(2, 4, 2), b(2, 4, 2);
  b.topology.hostname = "other";
  b.topology.gpus[0].uuid = "GPU-x";
  b.topology.gpus[0].serial = "7";
  b.topology.gpus[1].temperature_c = 80;
  CHECK(differences(a.topology, b.topology).empty());
  b.topology.gpus[1].memory_bytes = uint64_t{40} << 30;
  const auto found = differences(a.topology, b.topology);
  REQUIRE(found.size() == 1);
  CHECK(found[0].place == "/gpus/1/memory_bytes");
  CHECK(found[0].a == uint64_t{80} << 30);
  CHECK(!differences(a.topology, MadeServer(2, 5, 2).topology).empty());
  CHECK(differences(a.topology, MadeServer(2, 5, 2).topology, 3).size() == 3);
}

TEST_CASE("explain: an NVLink is one hop, a way between sockets has three") {
  MadeServer server(2, 4, 2);
  server.link_all(Level::kNv, 4, 100);
  auto near = route(server.topology, "gpu0", "GPU1");
  REQUIRE(near.ok());
  CHECK(near->word == "NV4");
  REQUIRE(near->hops.size() == 1);
  CHECK(near->hops[0].over == "4x NVLink");
  CHECK(near->hops[0].gbs == 100);

  server.topology.links[0].level = Level::kSys;
  server.topology.links[0].medium = Medium::kSocket;
  server.topology.links[0].gbs = 22;
  server.topology.distances = {
      {"NUMALatency", 5, {"NUMANode:0", "NUMANode:1"}, {}, {10, 21, 21, 10}}};
  auto far = route(server.topology, "gpu1", "GPU-0");  // the other by its UUID
  REQUIRE(far.ok());
  REQUIRE(far->hops.size() == 3);
  CHECK(far->hops[0].from == "gpu1");
  CHECK(far->hops[0].gbs == 63);
  CHECK(far->hops[1].over == "between NUMA nodes");
  CHECK(far->hops[1].gbs == 22);
  CHECK(far->hops[2].to == "gpu0");
  CHECK(far->numa_distance == 21);
  CHECK(route_json(*far)["hops"][1]["source"] == "table");
  CHECK(has(route_text(*far), "NUMA distance 21"));
}

TEST_CASE("explain: an unknown device is named, with the nearest one") {
  MadeServer server(1, 1, 2);
  const auto wrong = route(server.topology, "gpu0", "gpuu1");
  REQUIRE(!wrong.ok());
  CHECK(wrong.error().code == ErrorCode::kNotFound);
  CHECK(has(wrong.error().message, "'gpuu1'"));
  CHECK(has(wrong.error().hint, "gpu1"));
}
