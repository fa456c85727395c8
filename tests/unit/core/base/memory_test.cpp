#include <doctest/doctest.h>

#include <unistd.h>
#include <filesystem>
#include <string>

#include "core/base/file.hpp"
#include "core/base/memory.hpp"

using namespace aictl;
namespace fs = std::filesystem;

TEST_CASE("memory: the tightest cgroup above us counts, and droppable file pages do not") {
  const fs::path root = fs::temp_directory_path() / ("aictl-memory-" + std::to_string(getpid()));
  const auto put = [&](const char* name, const char* text) {
    REQUIRE(write_file_atomically(root / name, text).ok());
  };
  put("proc/meminfo", "MemTotal: 4000 kB\nMemAvailable: 3000 kB\n");
  CHECK_EQ(available_memory(root), 3000 * 1024);
  put("proc/self/cgroup", "0::/a/b\n");
  put("sys/fs/cgroup/a/b/memory.max", "max\n");
  put("sys/fs/cgroup/a/b/memory.current", "5\n");
  put("sys/fs/cgroup/a/memory.max", "1000000\n");
  put("sys/fs/cgroup/a/memory.current", "600000\n");
  put("sys/fs/cgroup/a/memory.stat", "anon 1\ninactive_file 100000\n");
  CHECK_EQ(available_memory(root), 500000);
  fs::remove_all(root);
}

TEST_CASE("memory: this machine has some") { CHECK(available_memory() > 0); }
