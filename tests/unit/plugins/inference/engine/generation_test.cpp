// Generation: what engine and asker share, with threads on both sides.
#include <doctest/doctest.h>

#include <semaphore>
#include <thread>

#include "core/plugin/generation.hpp"

using namespace aictl;

TEST_CASE("generation: a reader that sleeps until woken sees every token, in order, and the end") {
  for (int round = 0; round < 200; ++round) {
    std::counting_semaphore<> woken(0);
    Generation generation(1, [&] { woken.release(); });
    constexpr int kTokens = 50;
    std::jthread engine([&] {
      for (int i = 0; i < kTokens; ++i) {
        TokenOut token;
        token.id = i;
        generation.push(std::move(token));
        generation.notify();
      }
      generation.finish(0, {});
      generation.notify();
    });
    int next = 0;
    bool ended = false;
    while (!ended) {
      REQUIRE(woken.try_acquire_for(std::chrono::seconds(60)));
      const auto read = [&] {
        for (const TokenOut& token : generation.take()) REQUIRE(token.id == next++);
      };
      read();
      ended = generation.finished().has_value();
      if (ended) read();
    }
    CHECK(next == kTokens);
  }
}

TEST_CASE("generation: choices end and are cancelled one by one") {
  Generation generation(3, {});
  CHECK(generation.choices() == 3);
  generation.cancel(1);
  generation.stop(2);
  CHECK(generation.end_requested(1) == FinishReason::kCancelled);
  CHECK(generation.end_requested(2) == FinishReason::kStop);
  CHECK_FALSE(generation.end_requested(0).has_value());
  generation.cancel();
  CHECK(generation.end_requested(0) == FinishReason::kCancelled);
  generation.stop(0);
  CHECK(generation.end_requested(0) == FinishReason::kCancelled);
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(generation.done());
    Finished end;
    end.stop_token = i;
    generation.finish(i, end);
    end.stop_token = 99;
    generation.finish(i, end);  // it has ended
  }
  CHECK(generation.done());
  CHECK(generation.finished(2)->stop_token == 2);
}
