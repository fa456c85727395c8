#include "core/placement/report/visible.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/placement/report/references.hpp"

namespace aictl::placement {
namespace {

// What ROCm counts a GPU as, which need not be the order of PCI addresses: "3" of rsmi3.
std::string rocm_number(const topology::Gpu& gpu) {
  for (const std::string& name : gpu.names)
    if (name.starts_with("rsmi")) return name.substr(4);
  return "";
}

// ROCm writes a GPU's unique id as "GPU-4a7c19da329a2b8c"; its management library without "GPU-".
std::string uuid_of(const topology::Gpu& gpu) {
  const bool bare = gpu.vendor == "AMD" && gpu.uuid.size() == 16 &&
                    gpu.uuid.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  return bare ? "GPU-" + gpu.uuid : gpu.uuid;
}

}  // namespace

std::vector<std::string> device_words(const topology::Topology& topology,
                                      const std::vector<int>& gpus) {
  const auto words_by = [&](auto word_of) {
    std::vector<std::string> words;
    for (const int gpu : gpus) words.push_back(word_of(topology.gpus[size_t(gpu)], gpu));
    return words;
  };
  const auto all = [](const std::vector<std::string>& words) {
    return std::ranges::none_of(words, [](const std::string& word) { return word.empty(); });
  };
  auto uuids = words_by([](const topology::Gpu& gpu, int) { return uuid_of(gpu); });
  if (all(uuids)) return uuids;
  auto numbers = words_by([](const topology::Gpu& gpu, int) { return rocm_number(gpu); });
  if (all(numbers)) return numbers;
  return words_by([](const topology::Gpu&, int gpu) { return std::to_string(gpu); });
}

std::string visible_devices(std::string_view vendor, const std::vector<std::string>& words,
                            const std::vector<int>& gpus) {
  const std::string devices = shell_word(fmt::format("{}", fmt::join(words, ",")));
  const std::string indexes = fmt::format("{}", fmt::join(gpus, ","));
  if (vendor == "AMD") return "ROCR_VISIBLE_DEVICES=" + devices;
  if (vendor == "Intel") return "ZE_AFFINITY_MASK=" + indexes;
  // NVML counts by PCI address and CUDA, unless told, by speed.
  return fmt::format("{}CUDA_VISIBLE_DEVICES={}",
                     devices == indexes ? "CUDA_DEVICE_ORDER=PCI_BUS_ID " : "", devices);
}

}  // namespace aictl::placement
