// The functions behind the rows of lint.cpp, one file an area.
#pragma once

#include "core/manifest/rule.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {

/// A pod that serves requests for as long as it can: of a Deployment, StatefulSet or
/// LeaderWorkerSet, with a port.
bool is_serving(const Document& document, const PodTemplate& pod);
/// GPUs or other devices any of its containers asks for.
bool wants_devices(const PodTemplate& pod);
/// The replicas the document asks for, 1 when it does not say.
int64_t replicas_of(const Document& document);

void lint_pod_security(Documents documents, const Context& context, Report& report);
void lint_images(Documents documents, const Context& context, Report& report);
void lint_resources(Documents documents, const Context& context, Report& report);
void lint_probes(Documents documents, const Context& context, Report& report);
void lint_scheduling(Documents documents, const Context& context, Report& report);
void lint_secrets(Documents documents, const Context& context, Report& report);
void lint_models(Documents documents, const Context& context, Report& report);
void lint_access(Documents documents, const Context& context, Report& report);
void lint_budgets(Documents documents, const Context& context, Report& report);
void lint_networks(Documents documents, const Context& context, Report& report);
void lint_monitoring(Documents documents, const Context& context, Report& report);
void lint_storage(Documents documents, const Context& context, Report& report);
void lint_scaling(Documents documents, const Context& context, Report& report);

}  // namespace aictl::manifest
