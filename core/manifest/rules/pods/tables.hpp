// The tables of pods and what else is checked of them, a function a part; rules.cpp calls them
// through check_pods and check_containers.
#pragma once

#include <set>
#include <string_view>

#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {

/// The fields of a pod that stand for themselves, scheduling and security included.
void check_pod_fields(const Document& document, const PodTemplate& pod, Report& report);
/// Volumes, and which of them containers may mount.
std::set<std::string_view> check_volumes(const Document& document, const PodTemplate& pod,
                                         bool completed, Report& report);
/// Tolerations, spread constraints and affinity.
void check_scheduling(const Document& document, const PodTemplate& pod, Report& report);
/// The fields of a container, probes and hooks included. `at` is its path.
void check_container_fields(const Document& document, const Container& container, bool completed,
                            Report& report);
/// Profiles of seccomp and AppArmor in a security context.
void check_profiles(const Document& document, const std::string& path, const Json& context,
                    Report& report);

}  // namespace aictl::manifest
