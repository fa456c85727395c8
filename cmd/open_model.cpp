#include "cmd/open_model.hpp"

#include "core/base/check.hpp"

namespace aictl {

std::unique_ptr<Runtime> own_runtime(App& app) {
  auto row = app.plugins.runtimes.find("aictl");
  CHECK(row.ok());  // plugins/builtin.cpp compiles it in
  return (*row)->make(app.plugins);
}

Result<std::unique_ptr<LocalModel>> open_model(App& app, const std::string& reference,
                                               const EngineSettings& settings) {
  auto path = resolve_model(app.plugins, reference);
  if (!path) return std::move(path).error();
  return own_runtime(app)->open(*path, settings);
}

Result<std::unique_ptr<LocalText>> open_text(App& app, const std::string& reference) {
  auto path = resolve_model(app.plugins, reference);
  if (!path) return std::move(path).error();
  return own_runtime(app)->open_text(*path);
}

}  // namespace aictl
