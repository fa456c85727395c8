// Plugins: one registry for each extension point. plugins/builtin.cpp fills it, cmd/ reads it.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/config/variables.hpp"
#include "core/plugin/backend.hpp"
#include "core/plugin/registry.hpp"
#include "core/plugin/renderer.hpp"
#include "core/plugin/runtime.hpp"
#include "core/plugin/service.hpp"
#include "core/plugin/source.hpp"
#include "core/plugin/topology_source.hpp"

namespace aictl {

/// Makes a device ready for models. Errors: kUnsupported when this machine lacks it.
using BackendFactory = std::function<Result<std::unique_ptr<Backend>>(const BackendOptions&)>;

struct Plugins {
  std::vector<Variable> variables;  // what plugins read from the environment beside settings
  Registry<BackendFactory> backends{"backend"};
  Registry<SourceFactory> sources{"source"};
  Registry<RuntimeFactory> runtimes{"runtime"};
  Registry<ServiceFactory> services{"service"};
  Registry<TopologySourceFactory> topology{"topology"};
  Registry<RendererFactory> renderers{"renderer"};
};

/// Calls `visit` with each registry, for what treats all kinds alike.
template <typename Visit>
void for_each_registry(const Plugins& plugins, Visit visit) {
  visit(plugins.backends);
  visit(plugins.sources);
  visit(plugins.runtimes);
  visit(plugins.services);
  visit(plugins.topology);
  visit(plugins.renderers);
}

}  // namespace aictl
