#include "core/platform/generate/generate.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace aictl::platform {
namespace {

struct Chosen {
  std::string name;
  std::unique_ptr<Renderer> renderer;
};

// The renderers of the targets in the order of the registry, with those they stand on.
Result<std::vector<Chosen>> choose(const Registry<RendererFactory>& renderers,
                                   const std::vector<std::string>& targets) {
  std::map<std::string, std::unique_ptr<Renderer>, std::less<>> wanted;
  std::vector<std::string> open = targets;
  while (!open.empty()) {
    const std::string name = std::move(open.back());
    open.pop_back();
    if (wanted.contains(name)) continue;
    auto row = renderers.find(name);
    if (!row) return std::move(row).error();
    auto& made = wanted[name] = (*row)->make();
    if (const std::string below = made->stands_on(); !below.empty()) open.push_back(below);
  }
  std::vector<Chosen> chosen;
  for (const auto& row : renderers.rows())
    if (const auto found = wanted.find(row.name); found != wanted.end())
      chosen.push_back({row.name, std::move(found->second)});
  return chosen;
}

std::string base_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

// Only the names of files: the same text wherever it was made.
std::string header_of(const PlatformPlan& plan, const GenerateRequest& request,
                      const std::vector<std::string>& targets) {
  std::string all;
  for (const std::string& target : targets) all += (all.empty() ? "" : ", ") + target;
  return fmt::format("Made by aictl {} from {} ({}).\nTargets: {}.\nTopology: {} ({}).",
                     request.version, base_name(plan.platform.file), plan.platform.digest, all,
                     base_name(plan.topology_source), plan.topology_digest);
}

void add_new(std::vector<std::string>& to, const std::vector<std::string>& from) {
  for (const std::string& each : from)
    if (std::find(to.begin(), to.end(), each) == to.end()) to.push_back(each);
}

Result<void> add_objects(const Platform& platform, std::vector<RenderedObject> objects,
                         std::map<std::string, size_t>& known, Generated& generated) {
  for (RenderedObject& each : objects) {
    if (auto checked = check_object(each); !checked) return checked;
    complete_object(platform, each.object);
    const std::string key = object_key(each.object);
    const auto [found, fresh] = known.emplace(key, generated.objects.size());
    if (fresh) {
      generated.objects.push_back(std::move(each));
    } else if (generated.objects[found->second].object != each.object) {
      return Error{ErrorCode::kConflict, fmt::format("two targets write '{}' differently", key),
                   "generate them one after the other, into folders of their own"};
    }
  }
  return {};
}

}  // namespace

Result<Generated> generate(const PlatformPlan& plan, const Registry<RendererFactory>& renderers,
                           const GenerateRequest& request) {
  auto chosen = choose(renderers, request.targets);
  if (!chosen) return std::move(chosen).error();
  Generated generated;
  for (const Chosen& each : *chosen) generated.targets.push_back(each.name);
  std::map<std::string, size_t> known;
  for (const Chosen& each : *chosen) {
    auto rendering =
        each.renderer->render({plan, request.templates, generated.targets, request.trace});
    if (!rendering) return std::move(rendering).error().within(each.name);
    if (auto added = add_objects(plan.platform, std::move(rendering->objects), known, generated);
        !added)
      return std::move(added).error();
    for (RenderedFile& file : rendering->files) generated.files.push_back(std::move(file));
    add_new(generated.notes, rendering->notes);
    add_new(generated.externals, rendering->externals);
  }
  add_new(generated.notes, plan.notes);
  for (const External& each : plan.externals) {
    add_new(generated.externals, {each.kind + "/" + each.name});
    if (!each.how.empty())
      add_new(generated.notes, {fmt::format("{} '{}': {}", each.kind, each.name, each.how)});
  }
  order_objects(generated.objects);
  std::sort(generated.files.begin(), generated.files.end(),
            [](const RenderedFile& a, const RenderedFile& b) { return a.path < b.path; });
  std::sort(generated.externals.begin(), generated.externals.end());
  generated.header = header_of(plan, request, generated.targets);
  return generated;
}

}  // namespace aictl::platform
