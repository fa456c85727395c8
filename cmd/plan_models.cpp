#include "cmd/plan_models.hpp"

#include <chrono>
#include <filesystem>

#include <fmt/format.h>

#include "cmd/open_model.hpp"
#include "core/base/file.hpp"
#include "core/placement/model/families.hpp"
#include "core/placement/model/gguf.hpp"
#include "core/placement/model/hf_config.hpp"
#include "core/placement/model/safetensors.hpp"
#include "core/placement/model/storage.hpp"
#include "core/placement/report/references.hpp"
#include "core/platform/spec/read.hpp"

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

Result<placement::ModelShape> entry_shape(App& app, const platform::ModelEntry& entry,
                                          const fs::path& folder, const std::string& quant) {
  const std::string wanted = entry.quantisation.empty() ? quant : entry.quantisation;
  std::string_view source = entry.source;
  constexpr std::string_view kHub = "hf://";
  if (!source.starts_with(kHub)) {
    const bool relative = source.starts_with("./") || source.starts_with("../");
    return open_shape(app, relative ? (folder / source).string() : entry.source, "", wanted);
  }
  source.remove_prefix(kHub.size());
  source = source.substr(0, source.find(':'));
  const auto known = placement::shape_of_repository(source);
  if (known.first.empty())
    return Error{ErrorCode::kUnsupported,
                 fmt::format("the sizes of '{}' are on the hub alone", entry.source),
                 "plan it by its config.json: aictl plan --config config.json"};
  return placement::known_shape(known.first,
                                entry.quantisation.empty() ? known.second : entry.quantisation);
}

std::optional<double> seconds_of(std::chrono::milliseconds duration) {
  if (duration.count() == 0) return std::nullopt;
  return std::chrono::duration<double>(duration).count();
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

Result<void> platform_models(App& app, const std::string& file, const std::string& quant,
                             placement::PlanRequest& request) {
  auto platform = platform::load_platform(file, &app.plugins);
  if (!platform) return std::move(platform).error();
  for (const platform::ModelEntry& entry : platform->models) {
    auto shape = entry_shape(app, entry, fs::path(file).parent_path(), quant);
    if (!shape)
      return std::move(shape).error().within(fmt::format("{}: model '{}'", file, entry.name));
    request.models.push_back(*std::move(shape));
    placement::ModelWish wish;
    wish.context = entry.context;
    wish.concurrency = entry.concurrency * entry.replicas;
    wish.tp = entry.tensor_parallel;
    wish.replicas = entry.replicas;
    wish.slo = {seconds_of(entry.slo.ttft), seconds_of(entry.slo.tpot)};
    request.wishes.push_back(std::move(wish));
  }
  return {};
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
