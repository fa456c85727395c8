// TemporaryRoot: a folder that looks like "/" of a machine, file by file; gone at the end.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace aictl::test {

class TemporaryRoot {
 public:
  TemporaryRoot() {
    std::string name = (std::filesystem::temp_directory_path() / "aictl_root_XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  TemporaryRoot(const TemporaryRoot&) = delete;
  TemporaryRoot& operator=(const TemporaryRoot&) = delete;
  ~TemporaryRoot() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }

  TemporaryRoot& file(const std::string& at, std::string_view content) {
    std::filesystem::create_directories((path_ / at).parent_path());
    std::ofstream(path_ / at, std::ios::binary) << content;
    return *this;
  }
  TemporaryRoot& link(const std::string& at, const std::string& target) {
    std::filesystem::create_directories((path_ / at).parent_path());
    std::filesystem::create_symlink(target, path_ / at);
    return *this;
  }
  /// A PCI function below the folders `above` ("pci0000:00/0000:00:01.0"), linked as /sys does.
  TemporaryRoot& pci(const std::string& above, const std::string& address,
                     std::string_view class_code, std::string_view vendor, int node) {
    const std::string folder = "sys/devices/" + above + "/" + address + "/";
    file(folder + "class", class_code).file(folder + "vendor", vendor);
    file(folder + "device", "0x1234\n").file(folder + "numa_node", std::to_string(node) + "\n");
    return link("sys/bus/pci/devices/" + address, "../../../devices/" + above + "/" + address);
  }

 private:
  std::filesystem::path path_;
};

}  // namespace aictl::test
