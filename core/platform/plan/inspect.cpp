#include "core/platform/plan/inspect.hpp"

#include <fmt/format.h>

#include "core/base/file.hpp"
#include "core/placement/model/families.hpp"
#include "core/placement/model/formats.hpp"
#include "core/placement/model/gguf.hpp"
#include "core/placement/model/hf_config.hpp"
#include "core/placement/model/safetensors.hpp"
#include "core/placement/report/references.hpp"

namespace aictl::platform {
namespace {

namespace fs = std::filesystem;

bool holds_safetensors(const fs::path& path) {
  std::error_code ignored;  // an unreadable place is told by whoever opens it
  if (path.extension() == ".safetensors") return true;
  if (!fs::is_directory(path, ignored)) return false;
  for (const auto& entry : fs::directory_iterator(path, ignored))
    if (entry.path().extension() == ".safetensors") return true;
  return false;
}

Result<placement::ModelShape> gguf_shape(const Plugins& plugins, const std::string& reference) {
  auto path = resolve_model(plugins, reference);
  if (!path) return std::move(path).error();
  auto runtime = plugins.runtimes.find("aictl");
  if (!runtime) return std::move(runtime).error();
  auto inspected = (*runtime)->make(plugins)->inspect(*path);
  if (!inspected) return std::move(inspected).error();
  auto shape = placement::shape_from_gguf(*inspected);
  if (shape) shape->path = path->string(), shape->name = path->filename().string();
  return shape;
}

// A path of the spec as seen from here; names and shapes stay.
std::string seen_from(const fs::path& folder, const std::string& reference) {
  const bool path = reference.find('/') != reference.npos || reference.ends_with(".gguf") ||
                    reference.ends_with(".json") || reference.ends_with(".safetensors");
  std::error_code ignored;
  const fs::path below = folder / reference;
  if (folder.empty() || fs::path(reference).is_absolute()) return reference;
  return path || fs::exists(below, ignored) ? below.lexically_normal().string() : reference;
}

std::string default_quant(const ModelEntry& m) {
  if (!m.quantisation.empty()) return placement::canonical_quant(m.quantisation);
  return m.engine == ModelEngine::kVllm ? "BF16" : "Q4_K_M";
}

Result<placement::ModelShape> given_shape(const ModelEntry& m, const fs::path& folder) {
  if (placement::looks_like_shape(m.shape))
    return placement::known_shape(m.shape, default_quant(m));
  std::string path = seen_from(folder, m.shape);
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) path = (fs::path(path) / "config.json").string();
  return config_shape(path, placement::canonical_quant(m.quantisation));
}

// Shape and format of a vendor's repository; empty when no table has it.
using Known = std::pair<std::string_view, std::string_view>;
Known repository_shape(std::string_view source) {
  source.remove_prefix(std::string_view("hf://").size());
  return placement::shape_of_repository(source.substr(0, source.find(':')));
}

constexpr std::string_view kSayShape =
    "say what it is: `shape: qwen2.5:7b:bf16`, or `shape: path/config.json` of the model";

// vLLM makes FP8 of full weights as it loads them; all else is how a file is.
Result<placement::ModelShape> quantised(placement::ModelShape shape, const ModelEntry& m) {
  const std::string wanted = placement::canonical_quant(m.quantisation);
  if (wanted.empty() || wanted == shape.quant) return shape;
  const bool made = m.engine == ModelEngine::kVllm && wanted == "FP8" &&
                    (shape.quant == "BF16" || shape.quant == "F16");
  if (made || !shape.exact) return placement::with_quant(std::move(shape), wanted);
  return Error{ErrorCode::kDataRefused,
               fmt::format("quantisation {}, and the weights are {}", wanted, shape.quant),
               "leave it out, or name a source with such weights"};
}

}  // namespace

Result<placement::ModelShape> open_shape(const Plugins& plugins, const std::string& reference,
                                         const std::string& config, const std::string& quant) {
  std::error_code ignored;
  if (holds_safetensors(reference)) {
    auto shape = placement::shape_from_safetensors(reference, config);
    if (shape) {
      const fs::path path = fs::path(reference).lexically_normal();
      shape->path = reference;
      shape->name = (path.has_filename() ? path : path.parent_path()).filename().string();
    }
    return shape;
  }
  if (!fs::exists(reference, ignored) && placement::looks_like_shape(reference))
    return placement::known_shape(reference, quant);
  return gguf_shape(plugins, reference);
}

Result<placement::ModelShape> config_shape(const std::string& path, const std::string& quant) {
  auto text = read_file(path);
  if (!text) return std::move(text).error();
  auto tree = parse_json(*text);
  if (!tree) return std::move(tree).error().within(path);
  auto shape = placement::shape_from_config(*tree, path, quant);
  if (!shape) return shape;
  const fs::path folder = fs::absolute(path).parent_path();
  shape->name = folder.filename().string();
  shape->path = folder.string();
  return shape;
}

Result<placement::ModelShape> inspect_entry(const Plugins& plugins, const ModelEntry& m,
                                            const fs::path& folder) {
  const auto refused = [&](Error error) {
    error.code = ErrorCode::kDataRefused;
    return std::move(error).within(fmt::format("model '{}'", m.name));
  };
  const bool remote = m.source.starts_with("hf://");
  const auto known = remote && m.shape.empty() ? repository_shape(m.source) : Known();
  if (remote && m.shape.empty() && known.first.empty())
    return refused({ErrorCode::kDataRefused,
                    fmt::format("the weights of {} cannot be seen from here", m.source),
                    std::string(kSayShape)});
  auto shape = !known.first.empty()
                   ? placement::known_shape(
                         known.first, m.quantisation.empty() ? known.second : default_quant(m))
               : remote ? given_shape(m, folder)
                        : open_shape(plugins, seen_from(folder, m.source),
                                     m.shape.ends_with(".json") ? seen_from(folder, m.shape) : "",
                                     default_quant(m));
  if (!shape && !remote && !m.shape.empty() && shape.error().code == ErrorCode::kNotFound)
    shape = given_shape(m, folder);
  if (!shape) {
    Error error = std::move(shape).error();
    if (error.code == ErrorCode::kNotFound && !placement::looks_like_shape(m.source))
      error.hint = fmt::format("name a file that is there, or {}", kSayShape);
    return refused(std::move(error));
  }
  // A place is known for what is here alone; config.json stands for weights that are elsewhere.
  if (shape->source == "config" || shape->source == "table") shape->path.clear();
  if (m.engine == ModelEngine::kAictl && shape->source == "safetensors")
    return refused({ErrorCode::kDataRefused,
                    fmt::format("{} has safetensors, and engine aictl reads .gguf", m.source),
                    "engine: vllm, or a .gguf file of the model"});
  auto made = quantised(*std::move(shape), m);
  if (!made) return refused(std::move(made).error());
  return made;
}

}  // namespace aictl::platform
