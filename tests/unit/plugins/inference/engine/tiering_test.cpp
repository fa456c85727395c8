// Engines on a disk cache: what one computed, the next one reads, and no answer tells.
#include "plugins/services/inference/tiering.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <fstream>
#include <random>

#include "tests/support/temporary_root.hpp"
#include "tests/unit/plugins/inference/engine/tiny_engine.hpp"

using namespace aictl;
using namespace aictl::inference;

namespace {

struct Cache {
  test::TemporaryRoot root;
  Clock clock;
  std::filesystem::path folder() const { return root.path() / "kv"; }
};

/// A new engine on the cache, as a new process would make it.
std::unique_ptr<Engine> start(const Cache& cache, const EngineOptions& options = tiny_options()) {
  const Model& model = tiny_model();
  const auto backend = make_reference_backend({});
  auto runner = backend->load(model.spec(), model.tensors(), options.runner);
  REQUIRE(runner.ok());
  auto store = DiskStore::open({cache.folder(), 1 << 30},
                               make_signature("tiny", model.spec(), (*runner)->kv_layout(),
                                              backend->kv_block_bytes(model.spec())),
                               cache.clock);
  REQUIRE(store.ok());
  auto engine = Engine::start(options, model.spec(), std::move(*runner), std::move(*store));
  REQUIRE_MESSAGE(engine.ok(), (engine.ok() ? "" : engine.error().message));
  return std::move(*engine);
}

std::vector<int32_t> prompt(size_t tokens, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::vector<int32_t> ids(tokens);
  for (int32_t& id : ids) id = static_cast<int32_t>(random() % kTinyVocab);
  return ids;
}

struct Answered {
  std::vector<TokenOut> tokens;
  GenerationTimings timings;
};

GenerateRequest request_for(std::vector<int32_t> tokens) {
  GenerateRequest request = ask(std::move(tokens), 70, 1);
  request.sampling.seed = 7;
  request.sampling.logprobs = 3;
  request.ignore_eos = true;
  return request;
}

Answered answer(Engine& engine, GenerateRequest request) {
  const auto generation = *engine.submit(std::move(request));
  REQUIRE(generation->wait_done(soon()));
  const Finished end = *generation->finished();
  REQUIRE_MESSAGE(end.reason == FinishReason::kLength, end.error.message);
  return {generation->take(), end.timings};
}

void check_same(const Answered& a, const Answered& b) {
  REQUIRE(a.tokens.size() == b.tokens.size());
  for (size_t i = 0; i < a.tokens.size(); ++i) {
    CHECK(a.tokens[i].id == b.tokens[i].id);
    CHECK(std::bit_cast<uint32_t>(a.tokens[i].logprob) ==
          std::bit_cast<uint32_t>(b.tokens[i].logprob));
  }
}

/// Changes the byte at `at` in each of the cache's files.
int damage(const Cache& cache, int at) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(cache.folder())) {
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(at);
    file.put(byte);
    ++files;
  }
  return files;
}

}  // namespace

TEST_CASE("tiering: an engine begins with what the one before has left on disk, bit for bit") {
  const Cache cache;
  const auto first = answer(*start(cache), request_for(prompt(200)));
  CHECK(first.timings.cached_tokens == 0);
  CHECK(first.timings.miss == CacheMiss::kUnknown);

  const auto engine = start(cache);
  const auto second = answer(*engine, request_for(prompt(200)));
  check_same(first, second);
  CHECK(second.timings.cached_tokens == 192);
  CHECK(second.timings.disk_tokens == 192);
  CHECK(second.timings.miss == CacheMiss::kNone);
  CHECK(engine->stats().disk.hits == 1);
  CHECK(engine->stats().disk.promoted_tokens == 192);
  CHECK(engine->stats().reused_tokens == 192);

  // Now it is in memory, and the disk is not asked.
  const auto third = answer(*engine, request_for(prompt(200)));
  check_same(first, third);
  CHECK(third.timings.cached_tokens == 192);
  CHECK(third.timings.disk_tokens == 0);
}

TEST_CASE("tiering: a second turn finds the answer of the first on disk too") {
  const Cache cache;
  const auto first = answer(*start(cache), request_for(prompt(200)));
  std::vector<int32_t> turn = prompt(200);
  for (const TokenOut& token : first.tokens) turn.push_back(token.id);
  const std::vector<int32_t> question = prompt(30, 9);
  turn.insert(turn.end(), question.begin(), question.end());
  const auto cold = answer(*start_tiny(tiny_options()), request_for(turn));
  const auto warm = answer(*start(cache), request_for(turn));
  check_same(cold, warm);
  CHECK(warm.timings.disk_tokens == 256);  // of 300, of which 270 were there but one
}

TEST_CASE("tiering: what is written is there before the engine ends, for the time it does not") {
  const Cache cache;
  const auto engine = start(cache);
  answer(*engine, request_for(prompt(200)));
  const Time until = soon();
  while (engine->stats().disk.blocks < 4) {  // the step after the end hands them over
    REQUIRE(std::chrono::steady_clock::now() < until);
    (void)answer(*engine, request_for(prompt(3)));
  }
  CHECK(answer(*start(cache), request_for(prompt(200))).timings.disk_tokens == 192);
}

TEST_CASE("tiering: damaged files are ignored with a reason, and the answer is the same") {
  const int in_header = 200, in_second_block = 4096 + 20000;
  for (const int at : {in_header, in_second_block}) {
    const Cache cache;
    const auto first = answer(*start(cache), request_for(prompt(200)));
    const int files = damage(cache, at);
    REQUIRE(files == 1);
    const auto engine = start(cache);
    const auto second = answer(*engine, request_for(prompt(200)));
    check_same(first, second);
    // A header is read before anybody asks; a block when it is wanted.
    CHECK(second.timings.miss == (at == in_header ? CacheMiss::kUnknown : CacheMiss::kUnreadable));
    CHECK(second.timings.cached_tokens == 0);
    CHECK(engine->stats().disk.damaged == 1);
  }
}

TEST_CASE("tiering: tenants and salts do not share, and each miss has its reason") {
  const Cache cache;
  GenerateRequest mine = request_for(prompt(200));
  mine.tenant = "key-1";
  answer(*start(cache), mine);
  const auto engine = start(cache);
  GenerateRequest request = mine;
  request.tenant = "key-2";
  CHECK(answer(*engine, request).timings.miss == CacheMiss::kUnknown);
  request = mine;
  request.cache_salt = "pepper";
  CHECK(answer(*engine, request).timings.cached_tokens == 0);
  request = mine;
  request.reuse_prefix = false;
  CHECK(answer(*engine, request).timings.miss == CacheMiss::kNotWanted);
  CHECK(answer(*engine, request_for(prompt(64))).timings.miss == CacheMiss::kShort);
  request = mine;
  request.prompt[100] ^= 1;
  CHECK(answer(*engine, request).timings.miss == CacheMiss::kSuffix);
  CHECK(answer(*engine, mine).timings.cached_tokens == 192);
  EngineOptions off = tiny_options();
  off.prefix_cache = false;
  CHECK(answer(*start(cache, off), mine).timings.miss == CacheMiss::kOff);
}

TEST_CASE("tiering: many prompts at once with memory for few are answered as they were") {
  const Cache cache;
  std::vector<Answered> right;
  {
    const auto engine = start(cache);
    for (unsigned i = 0; i < 12; ++i)
      right.push_back(answer(*engine, request_for(prompt(130 + i * 17, i))));
  }
  EngineOptions few = tiny_options();
  few.runner.kv_blocks = 8;
  few.max_sequences = 3;
  const auto engine = start(cache, few);
  std::vector<std::shared_ptr<Generation>> running;
  for (unsigned i = 0; i < 12; ++i)
    running.push_back(*engine->submit(request_for(prompt(130 + i * 17, i))));
  for (size_t i = 0; i < running.size(); ++i) {
    REQUIRE(running[i]->wait_done(soon()));
    check_same(right[i], {running[i]->take(), {}});
  }
  CHECK(engine->stats().disk.promoted_tokens > 0);
  CHECK(engine->stats().kv_blocks_used == 0);
}

TEST_CASE("tiering: requests that are cancelled while the disk is read end, and nothing is lost") {
  const Cache cache;
  const auto right = answer(*start(cache), request_for(prompt(500)));
  for (int i = 0; i < 20; ++i) {
    const auto engine = start(cache);
    const auto cancelled = *engine->submit(request_for(prompt(500)));
    cancelled->cancel();
    const auto kept = *engine->submit(request_for(prompt(500)));
    if (i % 2 == 0) continue;  // the engine ends with both in it
    REQUIRE(cancelled->wait_done(soon()));
    CHECK(cancelled->finished()->reason == FinishReason::kCancelled);
    REQUIRE(kept->wait_done(soon()));
    check_same(right, {kept->take(), {}});
    CHECK(engine->drain(soon()));
  }
}

TEST_CASE("tiering: reading pays when it takes less time than computing") {
  CHECK(worth_reading(1000, 0, 64, 100));  // not known yet
  CHECK(worth_reading(1000, 100, 64, 0));
  CHECK(worth_reading(1000, 100, 64, 6));        // 10 s against 10.7
  CHECK_FALSE(worth_reading(1000, 100, 64, 7));  // 9.1
}
