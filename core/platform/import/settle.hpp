// The steps by which a draft becomes a spec.
#pragma once

#include "core/platform/import/draft.hpp"

namespace aictl::platform {

/// "http://qwen.ai.svc:8000/v1" -> "qwen": the first label of the host.
std::string host_of(const std::string& url);
/// The model that answers at an address inside the cluster; nullptr where none does.
const Entry* model_at(const std::string& url, const Draft& draft);
/// Listeners, routes and providers of a gateway's objects, where its own file did not say them.
void finish_gateway(Draft& draft);
/// placement, from the nodes that workloads are sent to.
Json placement_of(Draft& draft);

}  // namespace aictl::platform
