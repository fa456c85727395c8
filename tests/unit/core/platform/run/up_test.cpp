// A platform of shells, brought up in the background, looked at, and stopped.
#include "core/platform/run/up.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <sstream>

#include "core/platform/run/inspect.hpp"
#include "core/platform/run/local/ports.hpp"
#include "tests/unit/core/platform/run/scratch.hpp"

using namespace aictl;
using namespace aictl::platform;

namespace {

Workload script(const std::string& name, const std::string& text) {
  Workload w;
  w.name = name;
  w.argv = {{"sh"}, {"-c"}, {text}};
  w.shutdown_seconds = 5;
  return w;
}

struct Up {
  explicit Up(std::vector<Workload> all) : workloads(std::move(all)) {
    options.state = (scratch.path / "p").string();
    options.attempts = 3;
    options.detach = true;
  }
  ~Up() {
    Said said;
    if (StateFolder(options.state).is_locked())
      CHECK(down(StateFolder(options.state), std::chrono::seconds(0), true, said.context).ok());
  }

  struct Said {
    std::istringstream in;
    std::ostringstream out, err;
    cli::Context context{cli::Streams{in, out, err}, process_environment()};
  };

  Result<int> up(Said& said) {
    const LocalMachine machine = this_machine(process_environment(), "", {});
    return platform::up({"p", "aictl.yaml", "d", workloads, {}, {}, {}}, options, machine,
                        said.context);
  }
  Result<int> stop(Said& said) {
    return down(StateFolder(options.state), std::chrono::seconds(0), false, said.context);
  }
  // What ps tells of process `i`.
  Json row(size_t i) const {
    auto standing = standing_of(StateFolder(options.state));
    if (!standing) return Json::object();
    std::vector<Standing> one;
    one.push_back(*std::move(standing));
    return standing_json(one)["platforms"][0]["workloads"][i];
  }

  Scratch scratch;
  std::vector<Workload> workloads;
  UpOptions options;
};

}  // namespace

TEST_CASE("up: in the background until it is told to stop; ps, logs and a second up see it") {
  Up it({script("a", "echo hello; exec sleep 1000"), script("b", "exec sleep 1000")});
  it.workloads[1].needs = {"a"};
  Up::Said said;
  auto status = it.up(said);
  REQUIRE(status.ok());
  CHECK(*status == 0);
  CHECK(said.out.str().find("NAME  URL  NEEDS  RUNS\n") == 0);
  CHECK(said.out.str().find("ready\n") != std::string::npos);
  CHECK(it.row(0)["status"] == "ready");
  CHECK(it.row(1)["status"] == "ready");

  Up::Said again;
  auto refused = it.up(again);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kConflict);
  CHECK(refused.error().message.find("(pid ") != std::string::npos);

  CHECK(wait_until([&] {
    auto log = read_file(StateFolder(it.options.state).log("a"));
    return log && log->find("hello\n") != std::string::npos;
  }));
  const pid_t killed = it.row(0)["pid"].get<pid_t>();
  ::kill(killed, SIGKILL);
  CHECK(wait_until([&] {
    const Json row = it.row(0);
    return row["restarts"] == 1 && row["status"] == "ready" && row["pid"] != killed;
  }));

  Up::Said logged;
  REQUIRE(print_log(StateFolder(it.options.state), "a", {}, logged.context).ok());
  CHECK(
      logged.out.str().find("hello\naictl: killed by signal 9 (Killed)\naictl: started as pid ") !=
      std::string::npos);
  auto absent = print_log(StateFolder(it.options.state), "elsewhere", {}, logged.context);
  REQUIRE_FALSE(absent.ok());
  CHECK(absent.error().hint == "there are: a, b");

  Up::Said stopping;
  auto stopped = it.stop(stopping);
  REQUIRE(stopped.ok());
  CHECK(stopping.err.str() == "stopped\n");
  CHECK(marked_processes(it.options.state).empty());
  CHECK(standing_of(StateFolder(it.options.state)).error().code == ErrorCode::kNotFound);
  Up::Said twice;
  REQUIRE(it.stop(twice).ok());
  CHECK(twice.err.str() == "nothing is up\n");
}

TEST_CASE("up: what does not come up in the background is told in front, and nothing is left") {
  Up it({script("good", "exec sleep 1000"), script("bad", "echo broken; exit 3")});
  it.workloads[1].startup = Probe{};
  it.workloads[1].ports = {{"http", any_free_port()}};
  Up::Said said;
  auto status = it.up(said);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().message == "'bad' does not come up: exit status 3 (3 starts)");
  CHECK(status.error().hint.find("it printed:\n  broken\n") == 0);
  CHECK(wait_until([&] { return !StateFolder(it.options.state).is_locked(); }));
  CHECK(marked_processes(it.options.state).empty());
}

TEST_CASE("up: kill -9 in the background leaves nothing; down, or the next up, cleans up") {
  Up it({script("a", "setsid sleep 1000 & exec sleep 1000")});
  Up::Said said;
  REQUIRE(it.up(said).ok());
  const auto locker = StateFolder(it.options.state).locker();
  REQUIRE(locker);
  ::kill(locker->pid, SIGKILL);
  CHECK(wait_until([&] { return marked_processes(it.options.state).empty(); }));
  CHECK(wait_until([&] { return !StateFolder(it.options.state).is_locked(); }));
  Up::Said again;
  auto status = it.up(again);
  REQUIRE(status.ok());
  CHECK(it.row(0)["status"] == "ready");
  REQUIRE(it.stop(again).ok());
}

TEST_CASE("up: a dry run starts and makes nothing, and tells all") {
  Up it({script("a", "exec sleep 1000")});
  it.workloads[0].environment = {
      {"PORT", {Reference{Reference::Kind::kPort, "http"}}, "", "", false}};
  const int port = any_free_port();
  it.workloads[0].ports = {{"http", port}};
  it.options.dry_run = true;
  Up::Said said;
  said.context.flags.output = "json";
  REQUIRE(it.up(said).ok());
  auto tree = parse_json(said.out.str());
  REQUIRE(tree.ok());
  const Json& row = (*tree)["workloads"][0];
  CHECK(row["argv"] == Json({"sh", "-c", "exec sleep 1000"}));
  CHECK(row["env"]["PORT"] == std::to_string(port));
  CHECK(row["ports"]["http"] == port);
  CHECK_FALSE(std::filesystem::exists(it.options.state));
}

TEST_CASE("up: a port that is taken is told with its owner before anything starts") {
  const Fd fd(::socket(AF_INET, SOCK_STREAM, 0));
  REQUIRE(::listen(fd.get(), 1) == 0);
  struct sockaddr_storage address = {};
  socklen_t length = sizeof address;
  REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
  const auto* bytes = reinterpret_cast<const unsigned char*>(&address);
  Up it({script("a", "exec sleep 1000")});
  it.workloads[0].ports = {{"http", bytes[2] << 8 | bytes[3]}};
  Up::Said said;
  auto status = it.up(said);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == ErrorCode::kConflict);
  CHECK(status.error().message.find("of 'a' is taken by test_core_platf") != std::string::npos);
  CHECK(status.error().message.find("(pid " + std::to_string(::getpid())) != std::string::npos);
}
