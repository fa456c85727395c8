#include <doctest/doctest.h>

#include <unistd.h>
#include <filesystem>
#include <string>

#include "core/base/file.hpp"
#include "plugins/sources/file/file.hpp"

using namespace aictl;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("aictl-source-" + std::to_string(getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  void put(const std::string& name) const { REQUIRE(write_file_atomically(path / name, "x").ok()); }
};

}  // namespace

TEST_CASE("file source: a path is itself, a name is looked up in the model folders") {
  const Folder folder;
  folder.put("a.gguf");
  FileSource source({folder.path});
  CHECK_EQ(**source.resolve((folder.path / "a.gguf").string()), folder.path / "a.gguf");
  CHECK_EQ(**source.resolve("a"), folder.path / "a.gguf");
  CHECK_EQ(**source.resolve("a.gguf"), folder.path / "a.gguf");
  CHECK_FALSE(source.resolve("b")->has_value());
  CHECK_FALSE(source.resolve("./b")->has_value());
}

TEST_CASE("file source: a folder stands for its one model, sidecars and later shards apart") {
  const Folder folder;
  folder.put("m/x-00001-of-00002.gguf");
  folder.put("m/x-00002-of-00002.gguf");
  folder.put("m/mmproj-x.gguf");
  FileSource source({folder.path});
  CHECK_EQ(**source.resolve("m"), folder.path / "m/x-00001-of-00002.gguf");
  folder.put("m/y.gguf");
  const auto two = source.resolve((folder.path / "m").string());
  REQUIRE_FALSE(two.ok());
  CHECK_EQ(two.error().code, ErrorCode::kNotFound);
}
