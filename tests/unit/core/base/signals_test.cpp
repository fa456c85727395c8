#include <doctest/doctest.h>

#include <csignal>
#include <thread>

#include "core/base/signals.hpp"

using namespace aictl;

TEST_CASE("signals: they are counted while the guard lives, and waited for") {
  const Signals signals{SIGUSR1};
  CHECK_EQ(signals.count(), 0);
  CHECK_EQ(signals.wait(0, std::chrono::milliseconds(1)), 0);
  std::jthread sender([] { std::raise(SIGUSR1); });
  CHECK_EQ(signals.wait(0, std::chrono::seconds(30)), 1);
}

TEST_CASE("signals: what they did before is restored") {
  std::signal(SIGUSR1, SIG_IGN);
  { const Signals signals{SIGUSR1}; }
  struct sigaction now = {};
  sigaction(SIGUSR1, nullptr, &now);
  const bool ignored = now.sa_handler == SIG_IGN;
  CHECK(ignored);
}
