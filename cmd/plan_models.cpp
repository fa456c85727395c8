#include "cmd/plan_models.hpp"

#include <filesystem>

#include "cmd/open_model.hpp"
#include "core/base/file.hpp"
#include "core/placement/model/families.hpp"
#include "core/placement/model/gguf.hpp"
#include "core/placement/model/hf_config.hpp"
#include "core/placement/model/safetensors.hpp"
#include "core/placement/model/storage.hpp"

namespace aictl {
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

Result<placement::ModelShape> gguf_shape(App& app, const std::string& reference) {
  auto path = resolve_model(app.plugins, reference);
  if (!path) return std::move(path).error();
  auto inspected = own_runtime(app)->inspect(*path);
  if (!inspected) return std::move(inspected).error();
  auto shape = placement::shape_from_gguf(*inspected);
  if (shape) shape->path = path->string(), shape->name = path->filename().string();
  return shape;
}

}  // namespace

Result<placement::ModelShape> open_shape(App& app, const std::string& reference,
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
  return gguf_shape(app, reference);
}

void find_files(placement::ModelShape& shape) {
  if (shape.path.empty() || shape.source == "config") return;
  auto storage = placement::find_storage(shape.path);
  if (storage) shape.storage = *std::move(storage);  // the plan does without
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

}  // namespace aictl
