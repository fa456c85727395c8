#include "tests/unit/plugins/renderers/written.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <unistd.h>

#include "core/base/file.hpp"
#include "plugins/renderers/cluster/cluster.hpp"
#include "plugins/renderers/local/local.hpp"

namespace aictl::test {

const Plugins& renderers() {
  static const Plugins made = [] {
    Plugins plugins;
    add_cluster_renderers(plugins);
    add_local_renderers(plugins);
    return plugins;
  }();
  return made;
}

platform::Generated written(const platform::PlatformPlan& plan,
                            const std::vector<std::string>& targets) {
  const char* folder = std::getenv("AICTL_TEMPLATES");  // while templates are being written
  auto generated =
      platform::generate(plan, renderers().renderers, {targets, folder ? folder : "", "0.1.0"});
  if (generated) return *std::move(generated);
  FAIL_CHECK(generated.error().message << "\n  " << generated.error().hint);
  return {};
}

std::string stream_of(const platform::Generated& generated) {
  std::string text = platform::write_documents(generated.objects, generated.header);
  for (const RenderedFile& file : generated.files)
    if (file.path.ends_with(".yaml")) text += "---\n" + file.content;
  return text;
}

std::string complaints(const std::string& text, const std::vector<std::string>& externals) {
  const std::filesystem::path tool =
      std::filesystem::path(AICTL_SHARED) / "tools/validate-manifests";
  if (!std::filesystem::exists(tool)) {
    MESSAGE("skipped: no " << tool.string());
    return {};
  }
  const Scratch scratch("complaints");
  const std::string file = scratch.path + "/all.yaml";
  REQUIRE(write_file_atomically(file, text).ok());
  std::string command = tool.string() + " --references --strict-warnings " + file;
  for (const std::string& each : externals) command += " --external '" + each + "'";
  command += " 2>&1";
  std::string said;
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  char buffer[4096];
  while (const size_t n = fread(buffer, 1, sizeof buffer, pipe)) said.append(buffer, n);
  return pclose(pipe) == 0 ? std::string() : said;
}

Scratch::Scratch(const std::string& name)
    : path((std::filesystem::temp_directory_path() / fmt::format("aictl-{}-{}", name, getpid()))
               .string()) {
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

}  // namespace aictl::test
