// What the tests of running share: a folder of their own, processes made of a line of shell, and
// waiting for a condition.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "core/platform/run/local/launch.hpp"

namespace aictl::platform {

/// A folder that goes with the object.
struct Scratch {
  Scratch() {
    char name[] = "/tmp/aictl-run-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Scratch() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

inline Launch shell(const std::string& name, const std::string& script) {
  Launch launch;
  launch.name = launch.workload = name;
  launch.program = "/bin/sh";
  launch.argv = {"sh", "-c", script};
  launch.shutdown_seconds = 5;
  return launch;
}

/// Whether `condition` came true within half a minute.
inline bool wait_until(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace aictl::platform
