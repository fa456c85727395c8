// What targets write for the example platform, for the tests of renderers.
#pragma once

#include <string>
#include <vector>

#include "core/platform/generate/generate.hpp"
#include "core/plugin/plugins.hpp"

namespace aictl::test {

/// All renderers of this program.
const Plugins& renderers();

/// Fails the test when it cannot be written.
platform::Generated written(const platform::PlatformPlan& plan,
                            const std::vector<std::string>& targets);

/// The objects, then the files that are YAML.
std::string stream_of(const platform::Generated& generated);

/// What validate-manifests says of `text`; empty when it is clean, or when the tool is not there.
std::string complaints(const std::string& text, const std::vector<std::string>& externals);

/// A folder of this test, removed at the end.
struct Scratch {
  explicit Scratch(const std::string& name);
  ~Scratch();
  std::string path;
};

}  // namespace aictl::test
