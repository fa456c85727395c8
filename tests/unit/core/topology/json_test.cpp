// The JSON form, of anybody: what is wrong with it is said with its key, in bounded memory.
#include <doctest/doctest.h>

#include <ctime>
#include <string>

#include "core/topology/json.hpp"

using namespace aictl;
using namespace aictl::topology;

namespace {

const char* const kSmall = R"({"aictl_topology": 1, "objects": [
  {"type": "machine", "cpuset": "0-1", "nodeset": "0"},
  {"type": "numa", "parent": 0, "os": 0, "cpuset": "0-1", "nodeset": "0", "bytes": 1024},
  {"type": "pu", "parent": 0, "os": 0, "cpuset": "0"}],
  "distances": [{"name": "a", "kind": 5, "labels": ["x"], "values": [10], "objects": [1]}],
  "gpus": [{"index": 0, "names": ["nvml0"], "pci": "0000:34:00.0"}],
  "links": [{"a": "gpu0", "b": "numa0", "level": "PHB", "medium": "pcie", "source": "table"}]})";

std::string with(std::string_view from, std::string_view to) {
  std::string text(kSmall);
  const size_t at = text.find(from);
  REQUIRE(at != text.npos);
  return text.replace(at, from.size(), to);
}

Result<Topology> read(const std::string& text) {
  const auto tree = parse_json(text);
  REQUIRE_MESSAGE(tree.ok(), tree.error().message);
  return from_json(*tree);
}

struct Wrong {
  const char *from, *to, *said;
};
constexpr Wrong kWrong[] = {
    {"\"aictl_topology\": 1", "\"aictl_topology\": 2", "aictl_topology"},
    {"\"aictl_topology\": 1, ", "", "aictl_topology"},
    {"\"objects\"", "\"things\"", "objects: missing"},
    {"{\"type\": \"machine\"", "{\"type\": \"engine\"", "objects[0].type"},
    {"{\"type\": \"machine\"", "{\"type\": \"pu\"", "objects[0].parent"},
    {"\"parent\": 0, \"os\": 0, \"cpuset\": \"0\"}", "\"parent\": 2}", "objects[2].parent"},
    {"\"parent\": 0, \"os\": 0, \"cpuset\": \"0\"}", "\"parent\": -1}", "objects[2].parent"},
    {"\"parent\": 0, \"os\": 0, \"cpuset\": \"0\"}", "\"parent\": 9}", "objects[2].parent"},
    {"\"os\": 0, \"cpuset\": \"0\"", "\"os\": -7", "objects[2].os"},
    {"\"os\": 0, \"cpuset\": \"0\"", "\"os\": 2147483648", "objects[2].os"},
    {"\"os\": 0, \"cpuset\": \"0\"", "\"os\": 1.5", "objects[2].os"},
    {"\"cpuset\": \"0\"", "\"cpuset\": \"0-99999999\"", "objects[2].cpuset"},
    {"\"cpuset\": \"0\"", "\"cpuset\": 7", "objects[2].cpuset"},
    {"\"bytes\": 1024", "\"bytes\": -1", "objects[1].bytes"},
    {"\"bytes\": 1024", "\"bytes\": \"much\"", "objects[1].bytes"},
    {"\"bytes\": 1024", "\"infos\": [[\"a\"]]", "objects[1].infos[0]"},
    {"\"values\": [10]", "\"values\": []", "distances[0]"},
    {"\"objects\": [1]", "\"objects\": [3]", "distances[0]"},
    {"\"objects\": [1]", "\"objects\": [-1]", "distances[0]"},
    {"\"pci\": \"0000:34:00.0\"", "\"pci\": \"34\"", "gpus[0].pci"},
    {"\"level\": \"PHB\"", "\"level\": \"FAR\"", "links[0].level"},
    {"\"links\": [", "\"links\": [null,", "links[0]"},
    {"\"links\": [", "\"limits\": [], \"links\": [", "limits"},
};

}  // namespace

TEST_CASE("topology json: the small machine the others are made of reads, and comes back equal") {
  const auto small = read(kSmall);
  REQUIRE_MESSAGE(small.ok(), small.error().message);
  const auto built = from_json(to_json(*small));  // without a text between
  REQUIRE_MESSAGE(built.ok(), built.error().message);
  CHECK(*built == *small);
}

TEST_CASE("topology json: what is wrong is named by its key, in one line") {
  for (const Wrong& wrong : kWrong) {
    CAPTURE(std::string(wrong.to));
    const auto machine = read(with(wrong.from, wrong.to));
    REQUIRE_FALSE(machine.ok());
    CHECK(machine.error().code == ErrorCode::kDataRefused);
    CHECK(machine.error().message.find(wrong.said) != std::string::npos);
    CHECK(machine.error().message.find('\n') == std::string::npos);
    CHECK(machine.error().message.size() < 300);
  }
}

TEST_CASE("topology json: short texts that ask for much memory are refused") {
  std::string many;
  for (int i = 0; i < 40000; ++i)
    many += R"(,{"type":"group","parent":0,"cpuset":"65535","nodeset":"65535"})";
  const std::clock_t start = std::clock();
  const auto machine = read(with("\"cpuset\": \"0\"}]", "\"cpuset\": \"0\"}" + many + "]"));
  CHECK(double(std::clock() - start) / CLOCKS_PER_SEC < 20);
  REQUIRE_FALSE(machine.ok());
  CHECK(machine.error().message.find("memory") != std::string::npos);
}
