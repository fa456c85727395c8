// Who waits for whom, through the API: told in steps of the engine, which the test lets go by.
#include <future>

#include "test_server.hpp"

using namespace aictl;
using namespace aictl::inference;

namespace {

// Lets so many steps pass and no more, until it is told to let others pass.
class Steps {
 public:
  Hooks hooks() {
    return {.begin =
                [this](const StepBatch&) {
                  const int step = ++begun_;
                  for (int allowed = allowed_; step > allowed; allowed = allowed_)
                    allowed_.wait(allowed);
                },
            .logits = {}};
  }
  void allow(int steps) {
    allowed_ += steps;
    allowed_.notify_all();
  }
  bool holds() const { return begun_ > allowed_; }
  ~Steps() { allow(1 << 30); }

 private:
  std::atomic<int> begun_{0}, allowed_{0};
};

struct Busy {
  explicit Busy(ApiKeys keys = {}) {
    TestSetup setup;
    setup.engine.max_sequences = 4;
    setup.hooks = steps.hooks();
    setup.api.keys = std::move(keys);
    server.emplace(std::move(setup));
  }
  ~Busy() { steps.allow(1 << 30); }

  /// Asks in a thread of its own, and waits until the engine has it.
  std::future<http::Response> ask(const Json& body, const http::Headers& headers = {}) {
    const auto before = server->engine().stats().requests;
    auto answer = std::async(std::launch::async, [this, body, headers] {
      return server->post("/v1/completions", body, headers);
    });
    REQUIRE(eventually([&] { return server->engine().stats().requests > before; }));
    return answer;
  }
  /// Whether it is answered within `count` steps, after which the engine stands still.
  bool answered_within(int count, std::future<http::Response>& answer) {
    steps.allow(count);
    return answer.wait_until(soon()) == std::future_status::ready;
  }

  Steps steps;
  std::optional<TestServer> server;
};

bool is_ready(std::future<http::Response>& answer) {
  return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

}  // namespace

TEST_CASE("fairness: a request of 128 choices does not keep another from its answer") {
  Busy busy;
  Json many = completion_body("many", 40);
  many["n"] = 128;
  auto choices = busy.ask(many);
  busy.steps.allow(3);
  REQUIRE(eventually([&] { return busy.steps.holds(); }));
  CHECK(busy.server->engine().stats().running == 4);
  auto single = busy.ask(completion_body("one", 8));
  CHECK(busy.answered_within(12, single));  // 8 tokens, and the step it came in
  CHECK_FALSE(is_ready(choices));
  CHECK(single.get().status == 200);
  busy.steps.allow(1 << 30);
  const http::Response answer = choices.get();
  CHECK(answer.status == 200);
  CHECK(tree(answer.body)["choices"].size() == 128);
}

TEST_CASE("fairness: a key that asks much leaves another one its share") {
  Busy busy(*ApiKeys::parse("alpha\nbeta\n"));
  const http::Headers alpha{{"Authorization", "Bearer alpha"}}, beta{{"x-api-key", "beta"}};
  std::vector<std::future<http::Response>> all;
  for (int i = 0; i < 6; ++i) all.push_back(busy.ask(completion_body("long", 200), alpha));
  busy.steps.allow(3);
  REQUIRE(eventually([&] { return busy.steps.holds(); }));
  auto same = busy.ask(completion_body("same", 8), alpha);
  auto other = busy.ask(completion_body("other", 8), beta);
  CHECK(busy.answered_within(12, other));
  CHECK(other.get().status == 200);
  CHECK_FALSE(is_ready(same));  // behind the six of its own key
  busy.steps.allow(1 << 30);
  CHECK(same.get().status == 200);
  for (auto& answer : all) CHECK(answer.get().status == 200);
}

TEST_CASE("fairness: an interactive request takes the place of a background one") {
  Busy busy;
  std::vector<std::future<http::Response>> all;
  for (int i = 0; i < 4; ++i)
    all.push_back(busy.ask(completion_body("long", 100), {{"x-aictl-priority", "-1"}}));
  busy.steps.allow(3);
  REQUIRE(eventually([&] { return busy.steps.holds(); }));
  std::vector<std::future<http::Response>> urgent;
  for (int i = 0; i < 4; ++i)
    urgent.push_back(busy.ask(completion_body("now", 8), {{"x-aictl-priority", "1"}}));
  CHECK(busy.answered_within(14, urgent.back()));
  for (auto& answer : urgent) CHECK(answer.get().status == 200);
  for (auto& answer : all) CHECK_FALSE(is_ready(answer));
  busy.steps.allow(1 << 30);
  const std::string first = tree(all[0].get().body)["choices"][0]["text"];
  for (size_t i = 1; i < all.size(); ++i)  // parked and resumed: greedy, so all alike
    CHECK(tree(all[i].get().body)["choices"][0]["text"] == first);
  CHECK(busy.server->engine().stats().parkings >= 4);
}
