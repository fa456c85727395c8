// Streams: what a request gets does not depend on what else runs.
#include <doctest/doctest.h>

#include <cmath>
#include <future>
#include <random>
#include <thread>

#include "tiny_engine.hpp"

using namespace aictl;
using namespace aictl::inference;

namespace {

// Greedy and sampled in all ways, short and long, one and several choices.
std::vector<GenerateRequest> mixed_requests(int count) {
  std::mt19937 rng(11);
  const auto pick = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(rng);
  };
  std::vector<GenerateRequest> out;
  for (int i = 0; i < count; ++i) {
    std::vector<int32_t> prompt(static_cast<size_t>(i % 5 ? pick(1, 30) : pick(65, 140)));
    for (int32_t& id : prompt) id = pick(0, kTinyVocab - 1);
    GenerateRequest request = ask(std::move(prompt), pick(1, 80), i % 3 ? 0.5f + i * 0.02f : 0);
    SamplingParams& p = request.sampling;
    p.seed = static_cast<uint64_t>(pick(1, 1 << 30));
    if (i % 4 == 0) p.top_k = pick(1, 50);
    if (i % 4 == 1) p.top_p = 0.9f;
    if (i % 4 == 2) p.min_p = 0.02f;
    if (i % 7 == 0) p.repetition_penalty = 1.3f, p.frequency_penalty = 0.5f;
    if (i % 11 == 0) p.dry_multiplier = 0.8f;
    if (i % 13 == 0) p.mirostat = 2;
    if (i % 9 == 0) p.logprobs = 3;
    if (i % 6 == 0) request.n = pick(2, 3);
    if (i % 5 == 0) request.priority = pick(-1, 1);
    for (int s = 0; s < 2; ++s) request.stop_tokens.push_back(pick(0, kTinyVocab - 1));
    out.push_back(std::move(request));
  }
  return out;
}

struct Stream {
  std::vector<std::vector<int32_t>> choices;
  std::vector<std::pair<FinishReason, int32_t>> ends;
  std::vector<float> logprobs;
  bool operator==(const Stream&) const = default;
};

Stream drain(Generation& generation) {
  REQUIRE(generation.wait_done(soon()));
  const auto tokens = generation.take();
  Stream stream;
  for (int choice = 0; choice < generation.choices(); ++choice) {
    stream.choices.push_back(ids(tokens, choice));
    const auto end = generation.finished(choice);
    stream.ends.emplace_back(end->reason, end->stop_token);
    CHECK(end->timings.generated_tokens == static_cast<int>(stream.choices.back().size()));
    for (const TokenOut& t : tokens)
      if (t.choice == choice) stream.logprobs.push_back(t.logprob);
  }
  return stream;
}

}  // namespace

TEST_CASE("engine: 64 mixed requests at once give each the ids it gets alone") {
  const auto requests = mixed_requests(64);
  std::vector<Stream> alone;
  {
    auto engine = start_tiny(tiny_options());
    for (const auto& request : requests) alone.push_back(drain(**engine->submit(request)));
    CHECK(engine->stats().parkings == 0);
  }
  EngineOptions crowded = tiny_options();
  crowded.runner = {.max_rows = 48, .max_logit_rows = 12, .kv_blocks = 9};
  auto engine = start_tiny(crowded);
  std::vector<std::shared_ptr<Generation>> generations(requests.size());
  {
    std::vector<std::jthread> askers;  // from several threads, in no order
    for (size_t t = 0; t < 4; ++t)
      askers.emplace_back([&, t] {
        for (size_t i = t; i < requests.size(); i += 4)
          generations[i] = *engine->submit(requests[i]);
      });
  }
  for (size_t i = 0; i < requests.size(); ++i) {
    CAPTURE(i);
    CHECK(drain(*generations[i]) == alone[i]);
  }
  const EngineStats stats = engine->stats();
  CHECK(stats.kv_blocks_used == 0);
  CHECK(stats.running == 0);
  CHECK(stats.waiting == 0);
}

TEST_CASE("engine: sequences parked in the middle of sampling go on with the same stream") {
  std::vector<GenerateRequest> requests;
  for (int i = 0; i < 4; ++i) {
    requests.push_back(ask(std::vector<int32_t>(50, i + 1), 180, 1.2f));
    requests.back().sampling.seed = static_cast<uint64_t>(i);
    if (i == 3) requests.back().sampling.mirostat = 2;
  }
  std::vector<Stream> alone;
  {
    auto engine = start_tiny(tiny_options());
    for (const auto& request : requests) alone.push_back(drain(**engine->submit(request)));
  }
  std::promise<void> all_in;  // the first step waits for all, so that they do run out of blocks
  EngineOptions tight = tiny_options();
  tight.runner.kv_blocks = 8;
  auto engine = start_tiny(
      tight,
      {.begin = [in = all_in.get_future().share()](const StepBatch&) { in.wait(); }, .logits = {}});
  std::vector<std::shared_ptr<Generation>> generations;
  for (const auto& request : requests) generations.push_back(*engine->submit(request));
  all_in.set_value();
  for (size_t i = 0; i < requests.size(); ++i) CHECK(drain(*generations[i]) == alone[i]);
  CHECK(engine->stats().parkings > 0);
  CHECK(engine->stats().recomputed_tokens > 0);
}

TEST_CASE("engine: greedy choices are equal, sampled ones are not, the first is that of n = 1") {
  auto engine = start_tiny(tiny_options());
  auto greedy = ask({5, 6, 7}, 12);
  greedy.n = 3;
  auto stream = drain(**engine->submit(greedy));
  CHECK(stream.choices[0] == stream.choices[1]);
  CHECK(stream.choices[0] == stream.choices[2]);
  auto sampled = ask({5, 6, 7}, 12, 1.5f);
  sampled.sampling.seed = 4;
  sampled.n = 3;
  stream = drain(**engine->submit(sampled));
  CHECK(stream.choices[0] != stream.choices[1]);
  CHECK(stream.choices[1] != stream.choices[2]);
  sampled.n = 1;
  CHECK(ids(*engine->generate(sampled)) == stream.choices[0]);
}

TEST_CASE("engine: choices that do not all run at once are those that do") {
  auto sampled = ask(std::vector<int32_t>(70, 5), 12, 1.5f);
  sampled.sampling.seed = 4;
  sampled.n = 12;
  auto wide = start_tiny(tiny_options());
  const Stream all = drain(**wide->submit(sampled));
  for (const int at_once : {1, 5}) {
    CAPTURE(at_once);
    EngineOptions narrow = tiny_options();
    narrow.max_sequences = at_once;
    auto engine = start_tiny(narrow);
    auto other = *engine->submit(ask({1}, 30));
    CHECK(drain(**engine->submit(sampled)) == all);
    CHECK(drain(*other).choices[0].size() == 30);
    CHECK(engine->stats().kv_blocks_used == 0);
  }
}

TEST_CASE("engine: an end token ends it, is told and not pushed; ignore_eos and min_tokens go on") {
  auto engine = start_tiny(tiny_options());
  const auto plain = ids(*engine->generate(ask({9, 8}, 10)));
  EngineOptions options = tiny_options();
  options.end_tokens = {plain[0]};
  auto ending = start_tiny(options);
  auto generation = *ending->submit(ask({9, 8}, 10));
  REQUIRE(generation->wait_done(soon()));
  CHECK(generation->take().empty());
  CHECK(generation->finished()->reason == FinishReason::kStop);
  CHECK(generation->finished()->stop_token == plain[0]);
  auto request = ask({9, 8}, 10);
  request.ignore_eos = true;
  CHECK(ids(*ending->generate(request)) == plain);
  request.ignore_eos = false;
  request.min_tokens = 4;
  const auto longer = ids(*ending->generate(request));
  CHECK(longer.size() >= 4);
  CHECK(longer[0] != plain[0]);
}

TEST_CASE("engine: logprobs of the last position agree with what generate reports") {
  auto engine = start_tiny(tiny_options());
  const std::vector<int32_t> prompt(100, 17);
  const auto all = *engine->logprobs(prompt);
  REQUIRE(all.size() == kTinyVocab);
  double sum = 0;
  for (const float l : all) sum += std::exp(l);
  CHECK(sum == doctest::Approx(1));
  auto request = ask(prompt, 1);
  request.sampling.logprobs = 5;
  const auto token = engine->generate(request)->at(0);
  CHECK(token.logprob == all[static_cast<size_t>(token.id)]);
  REQUIRE(token.top.size() == 5);
  CHECK(token.top[0].id == token.id);
  for (const auto& top : token.top) CHECK(top.logprob == all[static_cast<size_t>(top.id)]);
}

TEST_CASE("engine: embeddings have length 1 and do not depend on chunks or neighbours") {
  std::vector<int32_t> prompt;
  for (int i = 0; i < 150; ++i) prompt.push_back(i * 7 % kTinyVocab);
  EngineOptions wide = tiny_options();
  wide.runner.max_rows = 256;
  auto one = start_tiny(wide);
  auto many = start_tiny(tiny_options());
  const auto embed = [&](Engine& engine, Pooling pooling) {
    auto generation = *engine.embed({prompt, pooling, 0, "", Time::max()});
    REQUIRE(generation->wait_done(soon()));
    return generation->finished()->values;
  };
  auto busy = *many->submit(ask({1, 2, 3}, 500, 1));
  for (const Pooling pooling : {Pooling::kLast, Pooling::kMean}) {
    const auto a = embed(*one, pooling), b = embed(*many, pooling);
    REQUIRE(a.size() == 32);
    CHECK(a == b);
    double squares = 0;
    for (const float v : a) squares += static_cast<double>(v) * v;
    CHECK(squares == doctest::Approx(1));
  }
  CHECK(embed(*one, Pooling::kLast) != embed(*one, Pooling::kMean));
  busy->cancel();
}

TEST_CASE("engine: an embedding parked between its chunks counts each position once") {
  std::vector<int32_t> prompt;
  for (int i = 0; i < 150; ++i) prompt.push_back(i * 7 % kTinyVocab);
  const auto mean = [&](Engine& engine) {
    auto generation = *engine.embed({prompt, Pooling::kMean, 0, "", Time::max()});
    REQUIRE(generation->wait_done(soon()));
    return generation->finished()->values;
  };
  auto calm = start_tiny(tiny_options());
  EngineOptions tight = tiny_options();
  tight.runner.kv_blocks = 4;
  std::atomic<int> steps{0};
  Engine* asked = nullptr;
  std::shared_ptr<Generation> urgent;
  auto engine = start_tiny(tight, {.begin =
                                       [&](const StepBatch&) {
                                         if (++steps != 2) return;
                                         auto request = ask(std::vector<int32_t>(100, 3), 4);
                                         request.priority = 5;
                                         urgent = *asked->submit(request);
                                       },
                                   .logits = {}});
  asked = engine.get();
  CHECK(mean(*engine) == mean(*calm));
  CHECK(engine->stats().parkings == 1);
  CHECK(engine->stats().recomputed_tokens > 0);
  CHECK(urgent->wait_done(soon()));
}

TEST_CASE("engine: what is kept of earlier prompts changes no token and no logprob") {
  auto requests = mixed_requests(24);
  std::vector<Stream> cold, warm, salted;
  EngineOptions options = tiny_options();
  options.prefix_cache = false;
  {
    auto engine = start_tiny(options);
    for (const auto& request : requests) cold.push_back(drain(**engine->submit(request)));
    CHECK(engine->stats().reused_tokens == 0);
  }
  options.prefix_cache = true;
  auto engine = start_tiny(options);
  for (const auto& request : requests) drain(**engine->submit(request));
  const uint64_t before = engine->stats().reused_tokens;
  for (const auto& request : requests) warm.push_back(drain(**engine->submit(request)));
  CHECK(warm == cold);
  CHECK(engine->stats().reused_tokens >= before + 5 * 64);  // one prompt in five is long enough
  const uint64_t after = engine->stats().reused_tokens;
  for (auto& request : requests) {
    request.cache_salt = "another";
    salted.push_back(drain(**engine->submit(request)));
  }
  CHECK(salted == cold);
  CHECK(engine->stats().reused_tokens == after);
}

TEST_CASE("engine: guessing ahead changes no token, no logprob and no end") {
  auto requests = mixed_requests(48);
  for (size_t i = 0; i < requests.size(); i += 2) {  // half of them have much to repeat
    requests[i].stop_tokens.clear();
    requests[i].sampling.logprobs = 4;
    for (size_t t = 6; t < requests[i].prompt.size(); ++t)
      requests[i].prompt[t] = requests[i].prompt[t - 6];
  }
  std::vector<Stream> alone;
  {
    auto engine = start_tiny(tiny_options());
    for (const auto& request : requests) alone.push_back(drain(**engine->submit(request)));
    CHECK(engine->stats().drafted_tokens == 0);
  }
  for (const int kv_blocks : {64, 9}) {  // and where sequences are parked in between
    CAPTURE(kv_blocks);
    EngineOptions options = tiny_options();
    options.runner = {.max_rows = 96, .max_logit_rows = 40, .kv_blocks = kv_blocks};
    options.max_sequences = 8;
    options.drafts = options.draft_always = true;
    auto engine = start_tiny(options);
    for (size_t i = 0; i < requests.size(); ++i) {  // one by one
      CAPTURE(i);
      if (i % 4 == 0) CHECK(drain(**engine->submit(requests[i])) == alone[i]);
    }
    std::vector<std::shared_ptr<Generation>> generations;
    for (const auto& request : requests) generations.push_back(*engine->submit(request));
    for (size_t i = 0; i < requests.size(); ++i) {
      CAPTURE(i);
      CHECK(drain(*generations[i]) == alone[i]);
    }
    const EngineStats stats = engine->stats();
    CHECK(stats.accepted_tokens > 100);
    CHECK(stats.drafted_tokens > stats.accepted_tokens + 100);  // many were rolled back
    CHECK(stats.kv_blocks_used == 0);
  }
}
