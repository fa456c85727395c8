// The shapes names have in Kubernetes. Source: k8s.io/apimachinery, pkg/util/validation.
#pragma once

#include <string_view>

#include "core/value/json.hpp"

namespace aictl::manifest {

/// RFC 1123: 63 of a-z, 0-9 and -, a letter or digit at both ends.
bool is_dns_label(std::string_view name);
/// Labels of RFC 1123 joined by dots, 253 characters together.
bool is_dns_name(std::string_view name);
/// As a DNS label that begins with a letter: Services.
bool is_service_name(std::string_view name);
/// IANA: 15 of a-z, 0-9 and -, a letter among them, no -- and none at an end.
bool is_port_name(std::string_view name);
/// [prefix/]name.
bool is_label_key(std::string_view key);
/// Empty, or 63 of letters, digits, - _ and ., a letter or digit at both ends.
bool is_label_value(std::string_view value);
/// A key of a ConfigMap or Secret.
bool is_config_key(std::string_view key);
/// A variable of the environment: printable ASCII without =.
bool is_variable_name(std::string_view name);

}  // namespace aictl::manifest
