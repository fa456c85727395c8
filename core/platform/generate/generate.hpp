// `aictl generate`: a planned platform written down for the targets that were asked for, as one
// ordered set of objects and files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/platform/plan/plan.hpp"
#include "core/plugin/registry.hpp"
#include "core/plugin/renderer.hpp"

namespace aictl::platform {

struct GenerateRequest {
  std::vector<std::string> targets;  // rows of `aictl plugin list --kind renderer`
  std::filesystem::path templates;   // of the user's; empty: the built-in ones
  std::string version;               // of this program
  Trace* trace = nullptr;            // learns what comes from what, for explain(); it takes longer
};

struct Generated {
  std::vector<std::string> targets;     // with those they stand on
  std::vector<RenderedObject> objects;  // in the order to apply
  std::vector<RenderedFile> files;      // that are no objects, by path
  std::vector<std::string> notes, externals;
  std::string header;  // where all this comes from: lines without the comment's mark
};

/// Errors: kNotFound for an unknown target; as Renderer::render; kConflict when two targets write
/// different objects of one name.
Result<Generated> generate(const PlatformPlan& plan, const Registry<RendererFactory>& renderers,
                           const GenerateRequest& request);

/// "apps/v1/Deployment/space/name": what an object is known by.
std::string object_key(const Json& object);

/// Puts objects in the order to apply: Namespace, RBAC, ConfigMaps, storage, queues, workloads,
/// Services, routes, policies, monitors; what is alike by kind and name.
void order_objects(std::vector<RenderedObject>& objects);

/// The group of that order a kind belongs to, from 0, and its word: "workloads".
int apply_rank(const Json& object);
std::string_view rank_name(int rank);

/// Whether the rest may take for granted what an object has: apiVersion, kind, and metadata with
/// text in it. Errors: kDataRefused naming its template, the object and the path.
Result<void> check_object(const RenderedObject& object);

/// Adds what every object has: its namespace unless its kind has none, the labels of the platform.
void complete_object(const Platform& platform, Json& object);

/// Documents with their comments as one YAML text under `header`.
std::string write_documents(const std::vector<RenderedObject>& objects, std::string_view header);

}  // namespace aictl::platform
