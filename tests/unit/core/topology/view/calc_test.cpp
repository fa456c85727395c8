#include <doctest/doctest.h>

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/topology/cpusets/bind.hpp"
#include "core/topology/cpusets/calc.hpp"
#include "tests/unit/core/topology/view/made_server.hpp"

using namespace aictl;
using namespace aictl::topology;

namespace {

std::string list_of(const Topology& machine, std::string_view expression) {
  auto set = calculate(machine, expression);
  return set ? set->list() : "error: " + set.error().message;
}

}  // namespace

TEST_CASE("calc: places, devices and numbers") {
  const Topology machine = MadeServer(2, 4, 2).topology;  // CPUs 0-7 and 8-15
  const std::pair<const char*, const char*> kCases[] = {
      {"all", "0-15"},
      {"package:1", "8-15"},
      {"socket:0", "0-7"},
      {"numa:all", "0-15"},
      {"core:3", "6-7"},
      {"core:0,7", "0-1,14-15"},
      {"pu:5", "5"},
      {"l3:1", "8-15"},
      {"0-3,8", "0-3,8"},
      {"0x0000010f", "0-3,8"},
      {"00000001,0000000f", "0-3,32"},
      {"near gpu1", "8-15"},
      {"cores near gpu0", "0-7"},
      {"cpus near numa1", "8-15"},
      {"numa:1 no smt", "8,10,12,14"},
      {"package:0 + pu:9", "0-7,9"},
      {"package:0 pu:9", "0-7,9"},
      {"all - core:1", "0-1,4-15"},
      {"all minus ( package:0 or pu:8 )", "9-15"},
      {"(all-0)", "error: '(all-0)' is not a set of CPUs"},
      {"all and 6-9", "6-9"},
      {"performance cores", "0-15"},
      {"efficiency", ""},
  };
  for (const auto& one : kCases) {
    const char *expression = one.first, *wanted = one.second;
    CAPTURE(expression);
    if (std::string_view(wanted).starts_with("error")) {
      CHECK(!calculate(machine, expression).ok());
    } else {
      CHECK(list_of(machine, expression) == wanted);
    }
  }
}

TEST_CASE("calc: what is wrong with an expression is said in its own words") {
  const Topology machine = MadeServer(2, 4, 2).topology;
  const std::pair<const char*, const char*> kCases[] = {
      {"no smt", "'no' has no set before it"},
      {"numa:0 + no smt", "'no' has no set before it"},
      {"1e9", "'1e9' reads as a number with an exponent"},
      {"9-3", "'9-3'"},
      {"numa:7", "there is no numa 7"},
      {"", "the expression ends"}};
  for (const auto& one : kCases) {
    CAPTURE(one.first);
    const auto set = calculate(machine, one.first);
    REQUIRE_FALSE(set.ok());
    CHECK(set.error().message.find(one.second) != std::string::npos);
    CHECK(!set.error().hint.empty());
  }
}

TEST_CASE("calc: efficiency cores are those of the slower kind") {
  Topology machine = MadeServer(1, 4, 0).topology;
  machine.cpu_kinds = {{0, *Bitset::parse_list("4-7"), {{"FrequencyMaxMHz", "2000"}}},
                       {1, *Bitset::parse_list("0-3"), {{"FrequencyMaxMHz", "5000"}}}};
  CHECK(list_of(machine, "efficiency cores") == "4-7");
  CHECK(list_of(machine, "all no efficiency no smt") == "0,2");
}

TEST_CASE("calc: what does not read or is not there is named") {
  const Topology machine = MadeServer(2, 4, 1).topology;
  const std::pair<const char*, const char*> kCases[] = {
      {"", "the expression ends where a set of CPUs should be"},
      {"pakage:0", "'pakage:0' is not a set of CPUs"},
      {"package:7", "there is no package 7"},
      {"core:9999", "there is no core 9999"},
      {"near gpu4", "this machine has no 'gpu4'"},
      {"cores gpu0", "'gpu0' is not 'near'"},
      {"all no wonder", "'wonder' is not smt or efficiency, which follow 'no'"},
      {"( all", "the expression ends where ')' should be"},
      {"all )", "')' is not the end"},
      {"all -", "the expression ends where a set of CPUs should be"},
  };
  for (const auto& [expression, wanted] : kCases)
    CHECK(list_of(machine, expression) == std::string("error: ") + wanted);
  CHECK(!calculate(machine, std::string(5000, '(')).ok());
  CHECK(!calculate(machine, std::string(200, '(')).ok());
}

TEST_CASE("exec: the program runs on the CPU it was bound to, and a missing one is told") {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    cpu_set_t mine;
    CPU_ZERO(&mine);
    sched_getaffinity(0, sizeof mine, &mine);
    Bitset one;
    for (int i = 0; i < CPU_SETSIZE && one.empty(); ++i)
      if (CPU_ISSET(i, &mine)) one.set(i);
    if (!bind_process(one, {}, MemoryPolicy::kFree)) _exit(90);
    become({"sh", "-c", "test \"$(nproc)\" = 1 && exit 17"});
    _exit(91);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 17);
  CHECK(become({"/no/such/program"}).code == ErrorCode::kNotFound);
  CHECK(become({"/etc/passwd"}).code == ErrorCode::kForbidden);
  CHECK(!bind_process({}, {}, MemoryPolicy::kBind).ok());
}
