// read_topology: which source reads what, what it says when none does, and how several are joined.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/base/file.hpp"
#include "core/plugin/plugins.hpp"
#include "core/topology/json.hpp"
#include "plugins/topology/hwloc/hwloc.hpp"
#include "plugins/topology/json/json.hpp"
#include "plugins/topology/nccl/nccl.hpp"
#include "plugins/topology/nvidia_smi/nvidia_smi.hpp"
#include "plugins/topology/sysfs/sysfs.hpp"
#include "tests/support/sanitizer.hpp"
#include "tests/support/temporary_root.hpp"

namespace aictl {
namespace {

namespace fs = std::filesystem;
using topology::Gpu;
using topology::Object;
using topology::ObjectType;
using topology::PciAddress;

Plugins all_sources() {
  Plugins plugins;
  add_hwloc_topology(plugins);
  add_sysfs_topology(plugins);
  add_nvidia_smi_topology(plugins);
  add_nccl_topology(plugins);
  add_json_topology(plugins);
  return plugins;
}

TopologyInput file_input(const fs::path& file) {
  TopologyInput input;
  input.file = file.string();
  return input;
}

// Of the processor's time: other tests may run beside this one.
constexpr double kSeconds = 2 * test::kPatience;

/// What reading `file` is refused with; fails when it is not, or takes long.
Error refusal(const fs::path& file) {
  const std::clock_t start = std::clock();
  const auto read = read_topology(all_sources(), file_input(file));
  CHECK(double(std::clock() - start) / CLOCKS_PER_SEC < kSeconds);
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().code == ErrorCode::kDataRefused);
  CHECK(read.error().message.find('\n') == std::string::npos);
  CHECK(read.error().message.size() < 500);
  CHECK(read.error().message.find(file.filename().string()) != std::string::npos);
  return read.error();
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

TEST_CASE("read_topology: what nobody can read is refused in one line that names the file") {
  test::TemporaryRoot root;
  root.file("empty", "").file("prose", "Dear machine,\n").file("folder/inside", "");
  root.link("loop", "loop");
  const fs::path at = root.path();
  CHECK(has(refusal(at / "empty").message, "empty"));
  CHECK(has(refusal(at / "prose").message, "no format"));
  CHECK(has(refusal(at / "prose").hint, "hwloc XML"));
  CHECK(has(refusal(at / "folder").message, "a folder"));
  CHECK(has(refusal(at / "folder").hint, "--sysroot"));
  CHECK(has(refusal(at / "loop").message, "leads back to itself"));
  const auto absent = read_topology(all_sources(), file_input(at / "absent"));
  REQUIRE_FALSE(absent.ok());
  CHECK(absent.error().code == ErrorCode::kNotFound);
}

TEST_CASE("read_topology: bytes that are no UTF-8 are refused with their place") {
  test::TemporaryRoot root;
  root.file("a.xml",
            "<topology version=\"2.0\">\n<object type=\"Machine\" name=\"\xff\"/></topology>")
      .file("b.json", "{\"aictl_topology\": 1,\n\"hostname\": \"\xc3\x28\"}")
      .file("c.xml", "<system version=\"1\">\n<cpu numaid=\"0\" affinity=\"1\" arch=\"\xfe\">")
      .file("d.txt", "\tGPU0\tCPU Affinity\nGPU0\t X \t\xff\xff\n");
  CHECK(has(refusal(root.path() / "a.xml").message, "line 2"));
  CHECK(has(refusal(root.path() / "b.json").message, "line 2"));
  CHECK(has(refusal(root.path() / "c.xml").message, "line 2"));
  CHECK(has(refusal(root.path() / "d.txt").message, "line 2"));
}

TEST_CASE("read_topology: a line of 1 GB is refused at once, in a file and from a pipe") {
  const test::TemporaryRoot root;
  for (const char* start : {"{\"a\":\"", "<topology", "<system", "\tGPU0\t", "x"}) {
    CAPTURE(start);
    const fs::path file = root.path() / "long";
    std::ofstream(file) << start;
    fs::resize_file(file, uintmax_t{1} << 30);  // sparse
    CHECK(has(refusal(file).message, "over 64 MiB"));
    fs::remove(file);

    const fs::path pipe = root.path() / "pipe";
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    std::signal(SIGPIPE, SIG_IGN);
    std::jthread writer([&] {
      const Fd fd(::open(pipe.c_str(), O_WRONLY));
      const std::string line(1 << 16, 'a');
      (void)!::write(fd.get(), start, std::string_view(start).size());
      for (int i = 0; i < 1 << 14; ++i)
        if (::write(fd.get(), line.data(), line.size()) < 0) break;  // the reader has enough
    });
    const Error error = refusal(pipe);
    CHECK((has(error.message, "over 64 MiB") || has(error.message, "no format")));
    writer.join();
    fs::remove(pipe);
  }
}

TEST_CASE("read_topology: the most there may be in a file is refused, or read, in time") {
  const test::TemporaryRoot root;
  const fs::path file = root.path() / "full";
  const auto fill = [&](std::string text, std::string_view again, size_t bytes) {
    while (text.size() + again.size() < bytes) text += again;
    std::ofstream(file, std::ios::binary) << text;
    return refusal(file).message;
  };
  CHECK(has(fill("<topology version=\"2.0\"><object ", "a=\"b\" ", 60 << 20), "twice"));
  CHECK(has(fill("<topology version=\"2.0\">", "<object>", 60 << 20), "line 1"));
  CHECK(has(fill("<topology version=\"2.0\">", "<info/>", 60 << 20), "line 1"));
  CHECK(has(fill("{\"aictl_topology\":1,\"objects\":[", "[],", 31 << 20), "values"));
  CHECK(has(fill("{\"aictl_topology\":1,\"objects\":[", "0.1111111,", 31 << 20), "line 1"));
  CHECK(has(fill("{\"aictl_topology\":1,\"objects\":", "[", 3 << 20), "nested deeper"));
  CHECK(has(fill("<system>", "<cpu>", 60 << 20), "line 1"));
  CHECK(has(fill("\tGPU0\tGPU1\nGPU0\t X ", "\tNV1", 60 << 20), "bytes"));
  CHECK(has(fill("\tGPU0\tGPU1\nGPU0\t X ", "\tNV1", 3 << 20), "line"));
}

TEST_CASE("read_topology: one machine is named, and named by something") {
  TopologyInput two;
  two.file = "a", two.synthetic = "pu:1";
  CHECK(read_topology(all_sources(), two).error().code == ErrorCode::kInvalidArgument);
  for (auto TopologyInput::*field :
       {&TopologyInput::file, &TopologyInput::sysroot, &TopologyInput::synthetic}) {
    TopologyInput input;
    input.*field = "";
    const auto read = read_topology(all_sources(), input);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().code == ErrorCode::kInvalidArgument);
    CHECK(has(read.error().message, "is empty"));
  }
  TopologyInput absent;
  absent.sysroot = "/no/such/root";
  CHECK(read_topology(all_sources(), absent).error().code == ErrorCode::kNotFound);
}

/// A source of one word: recognises files that begin with it.
class WordSource : public TopologySource {
 public:
  explicit WordSource(std::string word) : word_(std::move(word)) {}
  bool recognises(std::string_view bytes) const override { return bytes.starts_with(word_); }
  Result<Topology> import(std::string_view, const Sight&) const override {
    Topology made;
    made.objects.emplace_back();
    made.hostname = word_;
    return made;
  }
  std::string_view imports() const override { return word_; }

 private:
  std::string word_;
};

TEST_CASE("read_topology: the first source that recognises a file reads it, and is named") {
  Plugins plugins;
  for (const char* word : {"apple", "app", "pear"})
    plugins.topology.add(word, "", [word] { return std::make_unique<WordSource>(word); });
  test::TemporaryRoot root;
  root.file("a", "apple tree").file("b", "append").file("c", "plum");
  CHECK(read_topology(plugins, file_input(root.path() / "a"))->hostname == "apple");
  const auto second = read_topology(plugins, file_input(root.path() / "b"));
  CHECK(second->origin.source == "app");
  CHECK(second->origin.input == (root.path() / "b").string());
  CHECK_FALSE(second->origin.live);
  CHECK(
      has(read_topology(plugins, file_input(root.path() / "c")).error().hint, "apple, app, pear"));
}

/// hwloc's part: the tree, with a board that two drivers show.
class TreeSource : public TopologySource {
 public:
  Result<void> look(const Sight&, Topology& topology) const override {
    const auto add = [&](ObjectType type, int parent) -> Object& {
      topology.objects.emplace_back().type = type;
      topology.objects.back().parent = parent;
      return topology.objects.back();
    };
    add(ObjectType::kMachine, -1);
    add(ObjectType::kBridge, 0).host_bridge = true;
    topology::PciFacts& board = add(ObjectType::kPci, 1).pci;
    board.address = *PciAddress::parse("0000:3b:00.0");
    board.vendor = 0x10de, board.class_id = 0x0302;
    for (const char* name : {"nvml0", "cuda1", "opencl0d0"}) {
      Object& device = add(ObjectType::kOsDevice, 2);
      device.name = name, device.os_type = "gpu";
    }
    return {};
  }
};

/// A driver's part: the same board, and one that the tree does not have.
class DriverSource : public TopologySource {
 public:
  Result<void> look(const Sight&, Topology& topology) const override {
    for (const char* address : {"0000:5e:00.0", "0000:3b:00.0"}) {
      Gpu gpu;
      gpu.index = int(topology.gpus.size());
      gpu.pci = PciAddress::parse(address);
      gpu.uuid = std::string("GPU-") + address;
      gpu.model = "NVIDIA T4";
      topology.gpus.push_back(gpu);
    }
    return {};
  }
};

TEST_CASE("read_topology: what several sources see of one PCI address is one GPU") {
  Plugins plugins;
  plugins.topology.add("tree", "", [] { return std::make_unique<TreeSource>(); });
  plugins.topology.add("driver", "", [] { return std::make_unique<DriverSource>(); });
  const auto machine = read_topology(plugins, {});
  REQUIRE(machine.ok());
  CHECK(machine->origin.source == "tree");
  CHECK(machine->origin.live);
  REQUIRE(machine->gpus.size() == 2);
  const Gpu& first = machine->gpus[0];
  CHECK(first.pci->text() == "0000:3b:00.0");
  CHECK(first.uuid == "GPU-0000:3b:00.0");
  CHECK(first.names == std::vector<std::string>{"cuda1", "nvml0", "opencl0d0"});
  CHECK(machine->gpus[1].names.empty());
  CHECK(machine->gpus[1].index == 1);
}

}  // namespace
}  // namespace aictl
