#include "core/platform/spec/read.hpp"

#include <algorithm>
#include <chrono>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/support/sanitizer.hpp"

using namespace aictl;
using namespace aictl::platform;

namespace {

SpecReading check(std::string_view text) { return check_platform(text, "aictl.yaml"); }

Platform good(std::string_view text) {
  auto read = read_platform(text, "aictl.yaml");
  REQUIRE_MESSAGE(read.ok(), (read.ok() ? "" : read.error().message));
  return std::move(*read);
}

// "line:column path rule" of each mistake.
std::vector<std::string> mistakes(std::string_view text) {
  std::vector<std::string> out;
  for (const Mistake& m : check(text).mistakes)
    out.push_back(fmt::format("{}:{} {} {}", m.place.line, m.place.column, m.path, m.rule));
  return out;
}

Mistake only(std::string_view text) {
  const SpecReading reading = check(text);
  CHECK_FALSE(reading.platform);
  for (const Mistake& m : reading.mistakes) INFO(mistake_line(m, "aictl.yaml"));
  REQUIRE(reading.mistakes.size() == 1);
  return reading.mistakes[0];
}

double seconds_of(const std::function<void()>& what) {
  const auto begin = std::chrono::steady_clock::now();
  what();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

TEST_CASE("spec: the smallest is a name and one model, and every default is filled") {
  const Platform p = good("name: demo\nmodels: [{source: x.gguf}]\n");
  CHECK(p.name == "demo");
  CHECK(p.space == "demo");
  REQUIRE(p.models.size() == 1);
  CHECK(p.models[0].name == "x");
  CHECK(p.models[0].replicas == 1);
  CHECK_FALSE(p.gateway.enabled);
  CHECK(p.digest.size() == 64);
  CHECK(p.places.at("/models/0/source").line == 2);
  const Platform bare = good("name: demo\nmodels: [x.gguf]\n");
  CHECK(bare.digest == p.digest);
}

TEST_CASE("spec: apiVersion and kind may stand there, and have to be ours") {
  CHECK(good("apiVersion: aictl.dev/v1\nkind: Platform\nname: a\nmodels: [b]\n").name == "a");
  CHECK(mistakes("apiVersion: v1\nkind: Pod\nname: a\nmodels: [b]\n") ==
        std::vector<std::string>{"1:1 apiVersion spec/value", "2:1 kind spec/value"});
  CHECK(is_platform({{"kind", "Platform"}}));
  CHECK(is_platform({{"apiVersion", "aictl.dev/v1"}, {"kind", "Platform"}}));
  CHECK_FALSE(is_platform({{"apiVersion", "apps/v1"}, {"kind", "Deployment"}}));
  CHECK_FALSE(is_platform(Json::array()));
}

TEST_CASE("spec: every mistake is told at once, each with place, value, rule and nearest word") {
  const std::string_view text =
      "nmae: Demo\n"                              // 1: unknown, near to name; name is missing
      "models:\n"                                 // 2
      "  - source: x.gguf\n"                      // 3
      "    replicas: 2000\n"                      // 4: out of range
      "    engine: vlm\n"                         // 5: not a word
      "    contxt: 5\n"                           // 6: unknown
      "  - {source: y.gguf, needs: [z]}\n"        // 7: nothing called z
      "gateway:\n"                                // 8
      "  listeners: [{port: http}]\n"             // 9: no number
      "  routes: [{model: m, backends: [xx]}]\n"  // 10: no such model
      "state: {store: etcd, ttl: 5}\n"            // 11: no such store, no unit
      "state: {store: memory}\n";                 // 12: again
  CHECK(mistakes(text) ==
        std::vector<std::string>{
            "1:1 nmae spec/unknown-field", "1:1 . spec/required",
            "4:5 models[0].replicas spec/value", "5:5 models[0].engine spec/value",
            "6:5 models[0].contxt spec/unknown-field", "7:30 models[1].needs[0] spec/reference",
            "9:16 gateway.listeners[0].port spec/value",
            "10:34 gateway.routes[0].backends[0] spec/reference", "11:9 state.store spec/value",
            "11:22 state.ttl spec/value", "12:1 state spec/duplicate"});
  const SpecReading reading = check(text);
  CHECK(reading.mistakes[0].hint == "did you mean 'name'?");
  CHECK(reading.mistakes[2].message == "replicas 2000 is not in 0..1000");
  CHECK(reading.mistakes[3].hint == "did you mean 'vllm'?");
  CHECK(reading.mistakes[4].hint == "did you mean 'context'?");
  auto error = read_platform(text, "aictl.yaml");
  REQUIRE_FALSE(error.ok());
  CHECK(error.error().code == ErrorCode::kDataRefused);
  CHECK(error.error().message.starts_with("aictl.yaml: 11 mistakes\n  aictl.yaml:1:1: "));
  CHECK(error.error().message.find("aictl.yaml:4:5: models[0].replicas: replicas 2000 is not in "
                                   "0..1000") != std::string::npos);
}

TEST_CASE("spec: the digest is the same for any order of keys, and another for another value") {
  const Platform a = good(
      "name: d\nmodels: [{source: x.gguf, replicas: 2}]\nstate: {store: sqlite, ttl: 60s}\n"
      "targets: {kueue: {b: 1, a: {d: 1, c: 2}}}\n");
  const Platform b = good(
      "state: {ttl: 1m, store: sqlite}\ntargets: {kueue: {a: {c: 2, d: 1}, b: 1}}\n"
      "models: [{replicas: 2, source: x.gguf, name: x}]\nnamespace: d\nname: d\n");
  CHECK(a.digest == b.digest);
  CHECK(a.digest != good("name: d\nmodels: [{source: x.gguf, replicas: 3}]\n").digest);
}

TEST_CASE("spec: names are taken from sources, revisions from their ends") {
  const Platform p = good(
      "name: d\nmodels:\n- {source: 'hf://Qwen/Qwen2.5-7B-Instruct:main', engine: vllm}\n"
      "- {source: ./models/Llama_3.gguf}\n- {source: hf://a/b/C.Q4_K_M.gguf}\n");
  CHECK(p.models[0].name == "qwen2-5-7b-instruct");
  CHECK(p.models[0].source == "hf://Qwen/Qwen2.5-7B-Instruct");
  CHECK(p.models[0].revision == "main");
  CHECK(p.models[1].name == "llama-3");
  CHECK(p.models[2].name == "c-q4-k-m");
}

TEST_CASE("spec: names that would be the same workload, and names at their limits") {
  CHECK(only("name: d\nmodels: [{source: a, name: A.b}, {source: c, name: a-b}]\n").rule ==
        "spec/duplicate");
  CHECK(only("name: d\nmodels: [{source: a, name: gateway}]\n").rule == "spec/duplicate");
  CHECK(only("name: d\nmodels: [a]\nagents: [{name: a, command: [x]}]\n").path == "agents[0].name");
  const std::string most(63, 'n');
  CHECK(good(fmt::format("name: {}\nmodels: [a]\n", most)).name == most);
  const Mistake longer = only(fmt::format("name: {}n\nmodels: [a]\n", most));
  CHECK(longer.rule == "spec/label");
  CHECK(only("name: Demo_1\nmodels: [a]\n").hint == "such as 'demo-1'");
  CHECK(only("name: d\nmodels: [{source: a, name: 'a b'}]\n").rule == "spec/model-name");
}

TEST_CASE("spec: 0 and 1000 replicas are legal, less and more are not") {
  CHECK(good("name: d\nmodels: [{source: a, replicas: 0}]\n").models[0].replicas == 0);
  CHECK(good("name: d\nmodels: [{source: a, replicas: 1000}]\n").models[0].replicas == 1000);
  CHECK(only("name: d\nmodels: [{source: a, replicas: -1}]\n").message ==
        "replicas -1 is not in 0..1000");
  CHECK(only("name: d\nmodels: [{source: a, replicas: '3'}]\n").hint == "write it without quotes");
  CHECK(only("name: d\nmodels: [{source: a, replicas: 3, max_replicas: 2}]\n").path ==
        "models[0].max_replicas");
}

TEST_CASE("spec: needs that go round are named") {
  const Mistake m = only(
      "name: d\nmodels: [{source: a, needs: [c]}, {source: b, needs: [a]}, {source: c, needs: "
      "[b]}, {source: e, needs: [a]}]\n");
  CHECK(m.rule == "spec/cycle");
  CHECK(m.message == "needs go round: a -> c -> b -> a");
  CHECK(only("name: d\nmodels: [{source: a, needs: [a]}]\n").message == "needs go round: a -> a");
  // What a gateway implies counts, too.
  CHECK(only("name: d\ngateway:\nmodels: [{source: a, needs: [gateway]}]\n").rule == "spec/cycle");
}

TEST_CASE("spec: references to what is not there bring the nearest name") {
  const std::string base =
      "name: d\nmodels: [qwen]\nqueues: [{name: batch}]\nevents: {topics: [orders]}\n";
  CHECK(only(base + "jobs: [{name: j, command: [x], queue: batsh}]\n").hint ==
        "did you mean 'batch'?");
  CHECK(only(base + "jobs: [{name: j, command: [x], model: qwem}]\n").hint ==
        "did you mean 'qwen'?");
  CHECK(only(base + "agents: [{name: j, command: [x], topics: [order]}]\n").hint ==
        "did you mean 'orders'?");
  CHECK(only(base + "agents: [{name: j, command: [x], state: true}]\n").path == "agents[0].state");
}

TEST_CASE("spec: credentials are references, and a literal one is refused without repeating it") {
  const std::string key = "sk-abcdefghij0123456789abcdef";
  const std::string base = "name: d\nmodels: [a]\n";
  const Mistake env =
      only(base + "agents: [{name: x, command: [y], env: {GREETING: " + key + "}}]\n");
  CHECK(env.rule == "spec/secret");
  CHECK(env.message.find(key) == std::string::npos);
  CHECK(only(base + "agents: [{name: x, command: [y], env: {OPENAI_API_KEY: hello}}]\n").rule ==
        "spec/secret");
  CHECK(only(base + "agents: [{name: x, command: [y], env: {A: {secret: s}}}]\n").rule ==
        "spec/secret");
  CHECK(only(base + "gateway: {providers: [{name: o, url: 'https://a.b', api_key: x}]}\n").rule ==
        "spec/secret");
  CHECK(only(base + "state: {secret: 'redis://me:pw@host'}\n").rule == "spec/secret");
  CHECK(only(base + "state: {store: redis}\n").message ==
        "state.secret is missing: redis wants a connection");
  CHECK(only("name: d\nmodels: [{source: a, args: [--api-key, hello]}]\n").rule == "spec/secret");
  const Platform p = good(
      base + "agents: [{name: x, command: [y], env: {OPENAI_API_KEY: {secret: s, key: k}}}]\n");
  CHECK(p.agents[0].env.at("OPENAI_API_KEY").secret == "s");
}

TEST_CASE("spec: what one engine cannot do is told with the one that can") {
  CHECK(only("name: d\nmodels: [{source: hf://a/b}]\n").rule == "spec/engine");
  CHECK(only("name: d\nmodels: [{source: a, tensor_parallel: 2}]\n").hint == "engine: vllm");
  CHECK(only("name: d\nmodels: [{source: a, kv_type: fp8}]\n").hint == "engine: vllm");
  CHECK(only("name: d\nmodels: [{source: hf://a, engine: vllm}]\n").rule == "spec/source");
  CHECK(only("name: d\nmodels: [{source: s3://a/b, engine: vllm}]\n").rule == "spec/source");
  CHECK(only("name: d\nmodels: [{source: a, quantisation: q9}]\n").rule == "spec/quantisation");
}

TEST_CASE("spec: tabs, broken YAML and control characters are told with their line") {
  const Mistake tab = only("name: d\nmodels:\n\t- a\n");
  CHECK(tab.place.line == 3);
  CHECK(tab.place.column == 1);
  CHECK(tab.message == "a tab does not indent");
  CHECK(only("name: [d\n").rule == "spec/yaml");
  CHECK(only(std::string("name: d\0", 8)).rule == "spec/yaml");
  CHECK(only("").rule == "spec/required");
  CHECK(only("- a\n").message == "a list, not a mapping");
  CHECK(only("just words\n").rule == "spec/value");
  CHECK(only("name: d\nmodels: [\"a\\e[31mb\"]\n").message.find('\x1b') == std::string::npos);
  CHECK(only("name: d\nmodels: [a]\n---\nname: e\n").rule == "spec/yaml");
}

TEST_CASE("spec: anchors are understood and bounded") {
  const Platform p = good(
      "name: d\nmodels:\n- &one {source: a, name: x, replicas: 2}\n- {source: a, name: y}\n"
      "agents:\n- {name: g, command: &c [run, it]}\n- {name: h, command: *c}\n");
  CHECK(p.agents[1].command == std::vector<std::string>{"run", "it"});
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i)
    bomb +=
        fmt::format("a{0}: &a{0} [*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1}]\n", i, i - 1);
  const double taken = seconds_of([&] { CHECK(only(bomb).rule == "spec/yaml"); });
  CHECK(taken < 5 * test::kPatience);
}

TEST_CASE("spec: 50 MB of YAML are refused in no time, and a full megabyte in bounded time") {
  std::string text = "name: d\nmodels:\n";
  while (text.size() < 50'000'000) text += "- {source: a.gguf, replicas: 1}\n";
  CHECK(seconds_of([&] { CHECK(only(text).rule == "spec/size"); }) < 1 * test::kPatience);
  const auto bounded = [](std::string megabyte) {
    megabyte.resize(kMaxSpecBytes, ' ');
    const double taken = seconds_of([&] { CHECK_FALSE(check(megabyte).mistakes.empty()); });
    CHECK(taken < 5 * test::kPatience);
  };
  std::string keys, items, needs, unknown = "name: d\nmodels: [a]\n";
  for (int i = 0; keys.size() < kMaxSpecBytes; ++i) keys += fmt::format("k{}: 1\n", i);
  for (items = "name: d\nmodels:\n"; items.size() < kMaxSpecBytes;) items += "- a\n";
  for (int i = 0; i < 9000; ++i) unknown += fmt::format("k{}: 1\n", i);
  needs = "name: d\nmodels:\n";
  for (int i = 0; i < 3000; ++i)
    needs += fmt::format("- {{source: m{}, needs: [m{}]}}\n", i, (i + 1) % 3000);
  std::string strangers = "name: d\nmodels:\n";
  for (int i = 0; i < 3500; ++i)
    strangers += fmt::format("- {{source: m{0}, needs: [{1}{0}]}}\n", i, std::string(55, 'x'));
  bounded(strangers);
  bounded(keys);
  bounded(items);
  bounded(unknown);
  bounded(needs);
  bounded(std::string(kMaxSpecBytes, '['));
  bounded(std::string(kMaxSpecBytes, '-'));
  bounded("name: \"" + std::string(kMaxSpecBytes, 'x'));
}

TEST_CASE("spec: a pool is a capture or words, and its GPU is one of the table") {
  const std::string base = "name: d\nmodels: [a]\nplacement: {pools: [";
  CHECK(good(base + "{name: p, gpu: H100 SXM, gpus: 8}]}\n").placement.pools[0].gpus == 8);
  CHECK(good(base + "{name: p, gpu: NVIDIA L40S}]}\n").placement.pools[0].gpus == 1);
  CHECK(only(base + "{name: p, gpu: H1000}]}\n").rule == "spec/gpu");
  CHECK(only(base + "{name: p, gpus: 8}]}\n").rule == "spec/placement");
  CHECK(only(base + "{name: p, topology: a.xml, gpu: L40S}]}\n").rule == "spec/placement");
}

TEST_CASE("spec: a section with nothing in it counts, and enabled: false takes it away") {
  CHECK(good("name: d\nmodels: [a]\ngateway:\n").gateway.enabled);
  CHECK(good("name: d\nmodels: [a]\ngateway: {}\n").gateway.routes.size() == 1);
  CHECK_FALSE(good("name: d\nmodels: [a]\ngateway: {enabled: false}\n").gateway.enabled);
  CHECK(only("name: d\nmodels: [a]\nnamespace:\n").message == "namespace has no value");
}
