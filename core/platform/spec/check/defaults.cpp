// Defaults that other fields decide.
#include <algorithm>

#include "core/platform/spec/check/references.hpp"
#include "core/platform/spec/names.hpp"

namespace aictl::platform {
namespace {

// "hf://org/model/file.gguf:main" -> "hf://org/model/file.gguf", and "main" apart.
void split_revision(ModelEntry& model) {
  if (!model.source.starts_with("hf://")) return;
  const size_t colon = model.source.find(':', 5);
  if (colon == model.source.npos) return;
  const std::string revision = model.source.substr(colon + 1);
  if (!model.revision.empty() && model.revision != revision) return;  // told as a mistake
  model.revision = revision;
  model.source.resize(colon);
}

std::string name_from(std::string_view source) {
  while (source.ends_with('/')) source.remove_suffix(1);
  const size_t slash = source.rfind('/');
  if (slash != source.npos) source.remove_prefix(slash + 1);
  if (source.ends_with(".gguf") && source.size() > 5) source.remove_suffix(5);
  return slug(source);
}

void fill_pool(NodePool& pool) {
  if (!pool.topology.empty()) return;
  if (!pool.gpu.empty() && pool.gpus == 0) pool.gpus = 1;
}

}  // namespace

void fill_defaults(Platform& p) {
  if (p.space.empty()) p.space = p.name;
  for (ModelEntry& model : p.models) {
    split_revision(model);
    if (model.name.empty() && !model.source.empty()) model.name = name_from(model.source);
  }
  for (NodePool& pool : p.placement.pools) fill_pool(pool);
  if (!p.gateway.enabled) return;
  if (p.gateway.listeners.empty()) p.gateway.listeners.emplace_back();
  for (Route& route : p.gateway.routes)
    if (route.backends.empty()) route.backends = {route.model};
  for (const ModelEntry& model : p.models) {
    const auto same = [&](const Route& route) { return route.model == model.name; };
    if (std::ranges::any_of(p.gateway.routes, same) || model.name.empty()) continue;
    Route route;
    route.model = model.name;
    route.backends = {model.name};
    p.gateway.routes.push_back(std::move(route));
  }
}

}  // namespace aictl::platform
