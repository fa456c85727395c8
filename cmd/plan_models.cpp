#include "cmd/plan_models.hpp"

#include <chrono>
#include <filesystem>

#include <fmt/format.h>

#include "core/placement/model/storage.hpp"
#include "core/platform/plan/inspect.hpp"
#include "core/platform/spec/read.hpp"

namespace aictl {
namespace {

namespace fs = std::filesystem;

std::optional<double> seconds_of(std::chrono::milliseconds duration) {
  if (duration.count() == 0) return std::nullopt;
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

Result<void> platform_models(App& app, const std::string& file, placement::PlanRequest& request) {
  auto platform = platform::load_platform(file, &app.plugins);
  if (!platform) return std::move(platform).error();
  for (const platform::ModelEntry& entry : platform->models) {
    auto shape = platform::inspect_entry(app.plugins, entry, fs::path(file).parent_path());
    if (!shape) return std::move(shape).error().within(file);
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

}  // namespace aictl
