// A captured /sys and /proc of anybody. The input is a text of files: a line "@ PATH" starts one,
// the lines below are in it; "@> PATH TARGET" is a link.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "core/topology/devices.hpp"
#include "core/topology/json.hpp"
#include "plugins/topology/hwloc/hwloc.hpp"
#include "plugins/topology/sysfs/sysfs.hpp"
#include "tests/support/temporary_root.hpp"

namespace fs = std::filesystem;

namespace {

constexpr int kMaxFiles = 256;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

bool is_inside(const fs::path& path) {
  if (path.empty() || path.is_absolute() || path.string().size() > 200) return false;
  for (const fs::path& step : path)
    if (step == ".." || step.string().find('\0') != std::string::npos) return false;
  return true;
}

/// The folder of `path`, made if it is not there; false where a file stands in its way, or a link
/// would lead out.
bool make_folder(const fs::path& root, const fs::path& path) {
  fs::path folder = root;
  std::error_code failed;
  for (const fs::path& step : path.parent_path()) {
    folder /= step;
    if (fs::is_symlink(folder, failed)) return false;
    fs::create_directory(folder, failed);
    if (!fs::is_directory(folder, failed)) return false;
  }
  return !fs::is_symlink(root / path, failed);
}

void unpack(std::string_view text, const fs::path& root) {
  std::ofstream file;
  for (int files = 0; !text.empty() && files < kMaxFiles;) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const bool link = line.starts_with("@> ");
    if (!link && !line.starts_with("@ ")) {
      if (file.is_open()) file << line << '\n';
      continue;
    }
    ++files;
    if (file.is_open()) file.close();
    const std::string rest = line.substr(link ? 3 : 2);
    const size_t space = link ? rest.find(' ') : rest.npos;
    const fs::path path = rest.substr(0, space);
    if (!is_inside(path) || !make_folder(root, path)) continue;
    std::error_code failed;
    if (!link)
      file.open(root / path, std::ios::binary);
    else if (space != rest.npos)
      fs::create_symlink(rest.substr(space + 1), root / path, failed);
  }
}

}  // namespace

// Files in memory: hundreds are made and removed for each input.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  std::error_code failed;
  if (fs::is_directory("/dev/shm", failed)) setenv("TMPDIR", "/dev/shm", 0);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const aictl::test::TemporaryRoot root;
  unpack({reinterpret_cast<const char*>(data), size}, root.path());
  aictl::Sight sight;
  sight.sysroot = root.path();
  aictl::Topology topology;
  const auto seen = aictl::HwlocSource().look(sight, topology);
  require(seen.ok() || seen.error().message.size() < 1000);
  require(aictl::SysfsTopology().look(sight, topology).ok());  // what does not read is absent
  if (!seen) return 0;
  aictl::topology::finish(topology);
  const auto again = aictl::topology::from_json(aictl::topology::to_json(topology));
  require(again.ok() && *again == topology);
  return 0;
}
