#include <doctest/doctest.h>

#include "core/value/yaml.hpp"
#include "tests/unit/plugins/renderers/plan_fixture.hpp"
#include "tests/unit/plugins/renderers/written.hpp"

using namespace aictl;

namespace {

std::string file_of(const platform::Generated& generated, const std::string& path) {
  for (const RenderedFile& file : generated.files)
    if (file.path == path) return file.content;
  FAIL_CHECK("no file " << path);
  return {};
}

}  // namespace

TEST_CASE("compose: services reach each other by name, GPUs are reserved, weights read-only") {
  const auto generated = test::written(test::example_plan(), {"compose"});
  auto read = parse_yaml(file_of(generated, "compose.yaml"));
  REQUIRE(read);
  const Json& services = read->tree["services"];
  CHECK(services["planner"]["environment"]["SMALL_URL"] == "http://small:8000");
  CHECK(services["planner"]["command"].back() == "$$(HOME)");
  CHECK(services["qwen"]["deploy"]["resources"]["reservations"]["devices"][0]["count"] == 1);
  CHECK(services["qwen"]["shm_size"] == "2048m");
  CHECK(services["qwen"]["ports"][0] == "127.0.0.1:8000:8000");
  CHECK(services["small"]["ports"][0] == "127.0.0.1:8001:8000");  // no two at one port
  CHECK(services["gateway"]["depends_on"]["qwen"]["condition"] == "service_healthy");
  CHECK(read->tree["volumes"].contains("state-data"));
  CHECK(file_of(generated, "config/gateway/gateway.yaml").find("http://qwen:8000") !=
        std::string::npos);
}

TEST_CASE("quadlet: a container a workload, with its device and its health") {
  const auto generated = test::written(test::example_plan(), {"quadlet"});
  const std::string qwen = file_of(generated, "shop-qwen.container");
  CHECK(qwen.find("AddDevice=nvidia.com/gpu=all\n") != std::string::npos);
  CHECK(qwen.find("Exec=serve /models --port=8000\n") != std::string::npos);
  CHECK(qwen.find("ShmSize=2048m\n") != std::string::npos);
  CHECK(qwen.find("HealthStartPeriod=600s\n") != std::string::npos);
}

TEST_CASE("systemd: ports are given once, words are quoted, models are bound to memory in turns") {
  const auto generated = test::written(test::example_plan(), {"systemd"});
  const std::string qwen = file_of(generated, "shop-qwen.service");
  const std::string small = file_of(generated, "shop-small.service");
  CHECK(qwen.find("--port=8000\n") != std::string::npos);
  CHECK(qwen.find("CPUAffinity=0-31\nNUMAPolicy=bind\nNUMAMask=0\n") != std::string::npos);
  CHECK(small.find("CPUAffinity=32-63\nNUMAPolicy=bind\nNUMAMask=1\n") != std::string::npos);
  CHECK(small.find("--listen=127.0.0.1:8001\n") != std::string::npos);
  CHECK(file_of(generated, "shop-planner.service").find("SMALL_URL=http://127.0.0.1:8001") !=
        std::string::npos);
  CHECK(file_of(generated, "shop-planner.service").find("$$(HOME)") != std::string::npos);
}
