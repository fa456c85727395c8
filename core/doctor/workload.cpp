#include "core/doctor/workload.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

#include <fmt/format.h>

#include "core/base/file.hpp"
#include "core/placement/model/storage.hpp"
#include "core/value/yaml.hpp"

namespace aictl::doctor {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxProcFile = size_t{16} << 20;
constexpr int kMaxNode = 1 << 16;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(separator, at), text.size());
    if (end > at) parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

template <typename T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// What follows "key:" at the start of a line, without blanks.
std::string_view field(std::string_view status, std::string_view key) {
  for (std::string_view line : split(status, '\n')) {
    if (!line.starts_with(key) || line.substr(key.size(), 1) != ":") continue;
    line.remove_prefix(key.size() + 1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    return line;
  }
  return {};
}

}  // namespace

std::map<int, uint64_t> bytes_by_node(std::string_view numa_maps) {
  std::map<int, uint64_t> bytes;
  for (const std::string_view line : split(numa_maps, '\n')) {
    const auto words = split(line, ' ');
    uint64_t page = 4096;
    for (const std::string_view word : words)
      if (word.starts_with("kernelpagesize_kB="))
        page = std::min<uint64_t>(number<uint64_t>(word.substr(18)).value_or(4), 1 << 24) * 1024;
    for (const std::string_view word : words) {  // "N0=123": pages on node 0
      const size_t equals = word.find('=');
      if (!word.starts_with('N') || equals == std::string_view::npos) continue;
      const auto node = number<int>(word.substr(1, equals - 1));
      const auto pages = number<uint64_t>(word.substr(equals + 1));
      if (node && *node >= 0 && *node < kMaxNode && pages && *pages < uint64_t{1} << 40)
        bytes[*node] += *pages * page;
    }
  }
  return bytes;
}

Result<Process> read_process(int pid, const fs::path& proc) {
  const fs::path folder = proc / fmt::format("{}", pid);
  std::error_code error;
  if (pid <= 0 || !fs::exists(folder, error))
    return Error{ErrorCode::kNotFound, fmt::format("there is no process {}", pid),
                 "pgrep -a lists them"};
  const auto status = read_file(folder / "status", kMaxProcFile);
  if (!status) return Error(status.error()).within(fmt::format("process {}", pid));
  Process process;
  process.pid = pid;
  process.command = field(*status, "Name");
  process.threads = number<int>(field(*status, "Threads")).value_or(0);
  if (auto cpus = topology::Bitset::parse_list(field(*status, "Cpus_allowed_list")))
    process.cpus = std::move(cpus).value();
  const auto maps = read_file(folder / "numa_maps", kMaxProcFile);
  if (maps) process.bytes_on_node = bytes_by_node(*maps);
  const auto environment = read_file(folder / "environ", kMaxProcFile);
  if (!maps && !environment)
    return Error{ErrorCode::kForbidden, fmt::format("process {} is another user's", pid),
                 "run as that user, or as root"};
  if (!environment) return process;
  for (const std::string_view row : split(*environment, '\0'))
    if (row.starts_with("CUDA_") && row.find('=') != std::string_view::npos)
      process.environment.emplace(row.substr(0, row.find('=')), row.substr(row.find('=') + 1));
  return process;
}

Result<Weights> read_weights(const fs::path& path, const fs::path& root) {
  auto storage = placement::find_storage(path, root);
  if (!storage) return std::move(storage).error().within("weights");
  return Weights{path.string(), storage->bytes, storage->filesystem, storage->device,
                 storage->node};
}

Result<Kubelet> read_kubelet(const fs::path& file) {
  const auto text = read_file(file, kMaxProcFile);
  if (!text) return text.error();
  const auto document = parse_yaml(*text);
  if (!document) return Error(document.error()).within(file.string());
  const Json& tree = document->tree;
  Kubelet kubelet;
  if (!tree.is_object())
    return Error{ErrorCode::kDataRefused,
                 fmt::format("{} is no KubeletConfiguration", file.string()),
                 "name the file the kubelet was started with, --config"};
  if (const auto policy = tree.find("topologyManagerPolicy");
      policy != tree.end() && policy->is_string())
    kubelet.policy = policy->get<std::string>();
  const auto options = tree.find("topologyManagerPolicyOptions");
  if (options == tree.end() || !options->is_object()) return kubelet;
  if (const auto most = options->find("max-allowable-numa-nodes"); most != options->end()) {
    if (most->is_string())
      kubelet.max_numa_nodes = number<int>(most->get_ref<const std::string&>()).value_or(8);
    if (most->is_number_integer()) kubelet.max_numa_nodes = most->get<int>();
  }
  return kubelet;
}

}  // namespace aictl::doctor
