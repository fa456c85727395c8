// Layouts: one set of generated objects as the files that people apply, review, or have a
// controller apply.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/platform/generate/generate.hpp"

namespace aictl::platform {

enum class Layout : uint8_t { kPlain, kDirectory, kKustomize, kHelm, kArgocd, kFlux };

struct LayoutOptions {
  Layout layout = Layout::kPlain;
  std::string repository =
      "https://git.example.com/platform.git";  // kArgocd, kFlux: what they read
  std::string revision = "main";
  std::string path = ".";  // of the output in the repository
  std::string version;     // of this program
};

/// The files of a layout, by path, each with the header that says where it comes from.
std::vector<RenderedFile> lay_out(const Platform& platform, const Generated& generated,
                                  const LayoutOptions& options);

/// "40-workloads/deployment-qwen.yaml": where an object stands in a layout of one object a file.
std::string object_path(const Json& object);

// The parts of lay_out.
std::vector<RenderedFile> object_files(const Generated& generated, const std::string& folder);
std::vector<RenderedFile> kustomize_files(const Generated& generated);
std::vector<RenderedFile> helm_files(const Platform& platform, const Generated& generated,
                                     const LayoutOptions& options);
std::vector<RenderedFile> argocd_files(const Platform& platform, const Generated& generated,
                                       const LayoutOptions& options);
std::vector<RenderedFile> flux_files(const Platform& platform, const Generated& generated,
                                     const LayoutOptions& options);

}  // namespace aictl::platform
