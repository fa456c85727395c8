// Ports, paths, programs and secrets of one machine, on machines that are made up.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <set>

#include "core/platform/run/local/choose.hpp"
#include "core/platform/run/local/ports.hpp"
#include "core/platform/run/local/prepare.hpp"
#include "tests/unit/core/platform/run/scratch.hpp"

using namespace aictl;
using namespace aictl::platform;
using Kind = Reference::Kind;

namespace {

Workload model(const std::string& name, int port = 8000) {
  Workload w;
  w.name = name;
  w.service = "inference";
  w.argv = {{"aictl"}, {"serve"}, {"--address"}, {Reference{Kind::kListen, "http"}}};
  w.ports = {{"http", port}};
  return w;
}

struct Machine {
  Machine() {
    machine.ports = {[this](int port) { return !taken.contains(port); },
                     [this] { return next_any++; },
                     [this](int port) { return taken.contains(port) ? taken[port] : ""; }};
    machine.environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = environment.find(name);
      if (found == environment.end()) return std::nullopt;
      return found->second;
    };
    machine.own_program = "/opt/aictl";
    machine.model_file = [](std::string_view source) -> Result<std::filesystem::path> {
      if (source == "tiny") return std::filesystem::path("/models/tiny.gguf");
      if (source == "fetched.gguf") return std::filesystem::path("/models/fetched.gguf");
      return Error{ErrorCode::kNotFound, "no such model", ""};
    };
    machine.secrets = scratch.path / "secrets";
    environment["PATH"] = "/usr/bin:/bin";
  }

  Result<Preparation> prepare(const std::vector<Workload>& workloads, PortChoice ports = {}) {
    return platform::prepare({"p", "/spec/aictl.yaml", "d", workloads, {}, {"inference"}, ports},
                             machine, StateFolder(scratch.path));
  }

  Scratch scratch;
  std::map<int, std::string> taken;
  std::map<std::string, std::string> environment;
  int next_any = 40000;
  LocalMachine machine;
};

std::string message(const Result<Preparation>& result) {
  return result ? "" : result.error().message;
}

}  // namespace

TEST_CASE("local: the first gets the port it wishes for, the next one moves up") {
  Machine here;
  here.taken[8001] = "nginx (pid 7)";
  auto made = here.prepare({model("a"), model("b")});
  REQUIRE(made.ok());
  CHECK(made->plan.launches[0].argv ==
        std::vector<std::string>{"aictl", "serve", "--address", "127.0.0.1:8000"});
  CHECK(made->plan.launches[0].program == "/opt/aictl");
  CHECK(made->plan.launches[1].argv[3] == "127.0.0.1:8002");
}

TEST_CASE("local: a fixed port that is taken is an error that names its owner; all at once") {
  Machine here;
  here.taken[8000] = "nginx (pid 7)";
  here.taken[9000] = "a process of user 33";
  auto made = here.prepare({model("a"), model("b", 9000)});
  CHECK(message(made) ==
        "port 8000 of 'a' is taken by nginx (pid 7); port 9000 of 'b' is taken by a process of "
        "user 33");
  CHECK(made.error().code == ErrorCode::kConflict);
  made = here.prepare({model("a")}, {.free = true});
  REQUIRE(made.ok());
  CHECK(made->plan.launches[0].url == "http://127.0.0.1:40000");
  made = here.prepare({model("a")}, {.taken = true});
  REQUIRE(made.ok());
  CHECK(made->plan.launches[0].url == "http://127.0.0.1:8000");
  CHECK(made->plan.notes.at(0) == "port 8000 of 'a' is taken by nginx (pid 7)");
}

TEST_CASE("local: a port that a process is not told cannot move") {
  Machine here;
  Workload deaf = model("b");
  deaf.argv = {{"aictl"}, {"b"}};
  auto made = here.prepare({model("a"), deaf});
  REQUIRE(made.ok());
  CHECK(made->plan.launches[1].ports[0].second == 8000);
  CHECK(made->plan.launches[0].ports[0].second == 8001);
  made = here.prepare({model("a"), deaf}, {.free = true});
  REQUIRE(made.ok());
  CHECK(made->plan.launches[1].ports[0].second == 8000);
  CHECK(made->plan.launches[0].ports[0].second == 40000);
  deaf.replicas = 2;
  CHECK(message(here.prepare({deaf})) == "'b-0' and 'b-1' both want port 8000");
}

TEST_CASE("local: replicas are processes of their own, and move out of the way") {
  Machine here;
  here.taken[8000] = "nginx (pid 7)";
  Workload twice = model("a");
  twice.replicas = 2;
  Workload user = model("b", 9000);
  user.needs = {"a"};
  user.environment = {{"A_URL", {Reference{Kind::kUrl, "a"}}, "", "", false}};
  auto made = here.prepare({twice, user});
  REQUIRE(made.ok());
  const auto& launches = made->plan.launches;
  CHECK(launches[0].name == "a-0");
  CHECK(launches[0].ports[0].second == 8001);
  CHECK(launches[1].ports[0].second == 8002);
  CHECK(launches[2].needs == std::vector<size_t>{0, 1});
  CHECK(launches[2].environment[0].second == "http://127.0.0.1:8001");
  twice.replicas = 1000;
  CHECK(message(here.prepare({twice})) == "'a' has 1000 replicas, and one machine runs 64 at most");
}

TEST_CASE("local: a listener of the gateway comes first and is one process") {
  Machine here;
  Workload gateway = model("gateway", 8000);
  gateway.component = Component::kGateway;
  gateway.replicas = 2;
  auto made = here.prepare({model("a"), gateway});
  REQUIRE(made.ok());
  CHECK(made->plan.launches.size() == 2);
  CHECK(made->plan.launches[1].ports[0].second == 8000);
  CHECK(made->plan.launches[0].ports[0].second == 8001);
}

TEST_CASE("local: what cannot run here is left out with a word, unless something needs it") {
  Machine here;
  Workload state = model("state", 7000);
  state.service = "state";
  Workload container;
  container.name = "web";
  container.image = "nginx:1";
  auto made = here.prepare({state, container, model("a")});
  REQUIRE(made.ok());
  REQUIRE(made->plan.left_out.size() == 2);
  CHECK(made->plan.left_out[0].why == "this build has no service 'state'");
  Workload user = model("a");
  user.needs = {"state"};
  made = here.prepare({state, user});
  CHECK(message(made) ==
        "'a' needs 'state', which cannot run here: this build has no service 'state'");
  CHECK(made.error().code == ErrorCode::kUnsupported);
  CHECK(message(here.prepare({state})) == "nothing of platform 'p' can run here");
}

TEST_CASE("local: named workloads bring what they need along; slips get the nearest name") {
  std::vector<Workload> all{model("base"), model("chat"), model("other")};
  all[1].needs = {"base"};
  auto chosen = choose_workloads(all, {"chat"}, {"inference"});
  REQUIRE(chosen.ok());
  REQUIRE(chosen->kept.size() == 2);
  CHECK(chosen->kept[0]->name == "base");
  chosen = choose_workloads(all, {"caht"}, {"inference"});
  REQUIRE_FALSE(chosen.ok());
  CHECK(chosen.error().hint == "did you mean 'chat'?");
}

TEST_CASE("local: mounts become folders of this machine, a model the file the words name") {
  Machine here;
  Workload w = model("a");
  Mount weights, data, shm, config;
  weights.name = "weights";
  weights.kind = Mount::Kind::kModel;
  weights.source = "tiny";
  weights.file = "tiny.gguf";
  data.name = "data";
  data.kind = Mount::Kind::kState;
  shm.name = "shm";
  shm.kind = Mount::Kind::kMemory;
  shm.path = "/dev/shm";
  config.name = "config";
  config.kind = Mount::Kind::kConfig;
  config.file = "a.yaml";
  config.content = {"at: ", Reference{Kind::kUrl, "a"}};
  w.mounts = {weights, data, shm, config};
  w.argv = {{"aictl"},
            {Reference{Kind::kPath, "weights"}, "/tiny.gguf"},
            {Reference{Kind::kPath, "data"}},
            {Reference{Kind::kPath, "shm"}},
            {Reference{Kind::kPath, "config"}, "/a.yaml"}};
  auto made = here.prepare({w});
  REQUIRE(made.ok());
  const std::string root = here.scratch.path.string();
  CHECK(made->plan.launches[0].argv == std::vector<std::string>{"aictl", "/models/tiny.gguf",
                                                                root + "/state/a/data", "/dev/shm",
                                                                root + "/config/a/config/a.yaml"});
  REQUIRE(make_fixtures(made->fixtures).ok());
  auto text = read_file(root + "/config/a/config/a.yaml");
  REQUIRE(text.ok());
  CHECK(*text == "at: http://127.0.0.1:8000");
  CHECK(std::filesystem::is_directory(root + "/state/a/data"));

  w.mounts[0].file = "model.gguf";  // of another name in a container
  made = here.prepare({w});
  REQUIRE(made.ok());
  REQUIRE(make_fixtures(made->fixtures).ok());
  CHECK(made->plan.launches[0].argv[1] == root + "/models/a/weights/tiny.gguf");
  CHECK(std::filesystem::read_symlink(root + "/models/a/weights/model.gguf") ==
        "/models/tiny.gguf");
  w.mounts[0].source = "hf://org/repo/absent.gguf";
  CHECK(message(here.prepare({w})) ==
        "a: model 'hf://org/repo/absent.gguf' is not on this machine");
  w.mounts[0].source = "hf://org/repo/fetched.gguf";
  w.mounts[0].file = "fetched.gguf";
  made = here.prepare({w});
  REQUIRE(made.ok());
  CHECK(made->plan.launches[0].argv[1] == "/models/tiny.gguf");
  w.mounts[0].source = "absent";
  CHECK(message(here.prepare({w})) == "a: model: no such model");
}

TEST_CASE("local: secrets come from a variable or a file, and are never shown") {
  Machine here;
  Workload w = model("a");
  w.environment = {{"TOKEN", {}, "hub", "token", false}};
  auto made = here.prepare({w});
  CHECK(message(made) == "a: key 'token' of secret 'hub' is nowhere");
  CHECK(made.error().code == ErrorCode::kNotFound);
  std::filesystem::create_directories(here.machine.secrets / "hub");
  std::ofstream(here.machine.secrets / "hub/token") << "s3cret\n";
  made = here.prepare({w});
  REQUIRE(made.ok());
  CHECK(made->plan.launches[0].secrets[0].value == "s3cret");
  CHECK(dump_json(local_plan_json(made->plan)).find("s3cret") == std::string::npos);
  here.environment["TOKEN"] = "other";
  made = here.prepare({w});
  REQUIRE(made.ok());
  CHECK(made->plan.launches[0].secrets[0].value == "other");
  w.environment[0].name = "ELSE";
  w.environment[0].key = "absent";
  w.environment[0].optional = true;
  CHECK(here.prepare({w}).ok());
}

TEST_CASE("local: a program that is not there is told before anything starts") {
  Machine here;
  Workload w = model("a");
  w.service = "";
  w.argv = {{"no-such-program"}};
  auto made = here.prepare({w});
  CHECK(message(made) == "a: no program 'no-such-program'");
  CHECK(made.error().code == ErrorCode::kNotFound);
}

TEST_CASE("ports: one that is listened on is not free, and its owner is told") {
  const int port = any_free_port();
  REQUIRE(port > 0);
  CHECK(port_is_free(port));
  CHECK(port_owner(port).empty());
  const Fd fd(::socket(AF_INET, SOCK_STREAM, 0));
  REQUIRE(::listen(fd.get(), 1) == 0);  // on a port of the kernel's choice
  struct sockaddr_storage address = {};
  socklen_t length = sizeof address;
  REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
  const auto* bytes = reinterpret_cast<const unsigned char*>(&address);
  const int held = bytes[2] << 8 | bytes[3];
  CHECK_FALSE(port_is_free(held));
  CHECK(port_owner(held).find("(pid " + std::to_string(::getpid())) != std::string::npos);
}

TEST_CASE("ports: the kernel's table is read, and odd lines of it are not") {
  const auto sockets = parse_listening(
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode\n"
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 "
      "4711 1\n"
      "   1: 0100007F:1F91 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 "
      "4712 1\n"
      "   2: nonsense 0 0A 0 0 0 0 0 0 x\n\n   3:\n");
  REQUIRE(sockets.size() == 1);
  CHECK(sockets[0].port == 8080);
  CHECK(sockets[0].user == 33);
  CHECK(sockets[0].inode == 4711);
}
