// Source: where models come from. A reference ("./tiny.gguf", "llama-3.2-1b") becomes a file on
// this machine.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "core/base/result.hpp"

namespace aictl {

/// An extension point: plugins/sources/<name>.
class Source {
 public:
  virtual ~Source() = default;
  /// The model's first file, or nullopt when `reference` is not of this source's kind. Errors: the
  /// reference is of this kind but cannot be had. Callable from any thread.
  virtual Result<std::optional<std::filesystem::path>> resolve(std::string_view reference) = 0;
};

using SourceFactory = std::function<std::unique_ptr<Source>()>;

}  // namespace aictl
