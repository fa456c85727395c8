// Captured machines: those in tests/data, and the larger shared set where it is there.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/topology/devices.hpp"
#include "core/topology/json.hpp"
#include "plugins/topology/hwloc/hwloc.hpp"

namespace aictl {

namespace fs = std::filesystem;

inline std::string bytes_of(const fs::path& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

/// Folders that hold NAME.xml beside expected/NAME.json.
inline std::vector<fs::path> capture_folders() {
  std::vector<fs::path> folders{fs::path(AICTL_TEST_DATA) / "topologies"};
  const fs::path shared = fs::path(AICTL_SHARED) / "topologies";
  if (fs::is_directory(shared))
    folders.push_back(shared);
  else
    MESSAGE("the shared captures are not here: only those in the tree are read");
  return folders;
}

inline std::vector<fs::path> captures() {
  std::vector<fs::path> files;
  for (const fs::path& folder : capture_folders())
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".xml") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

inline Topology must_import(std::string_view bytes, const Sight& sight = {}) {
  auto topology = HwlocSource().import(bytes, sight);
  REQUIRE_MESSAGE(topology.ok(), topology.error().message);
  topology::finish(*topology);
  return *std::move(topology);
}

}  // namespace aictl
