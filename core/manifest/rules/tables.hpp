// The functions behind the rows of rules.cpp, one file an area.
#pragma once

#include "core/manifest/rule.hpp"

namespace aictl::manifest {

void check_metadata(Documents documents, const Context& context, Report& report);
void check_selectors(Documents documents, const Context& context, Report& report);
void check_kind_fields(Documents documents, const Context& context, Report& report);
void check_workloads(Documents documents, const Context& context, Report& report);
void check_jobs(Documents documents, const Context& context, Report& report);
void check_autoscaling(Documents documents, const Context& context, Report& report);
void check_device_claims(Documents documents, const Context& context, Report& report);
void check_networking(Documents documents, const Context& context, Report& report);
void check_access(Documents documents, const Context& context, Report& report);
void check_data(Documents documents, const Context& context, Report& report);
void check_pods(Documents documents, const Context& context, Report& report);
void check_containers(Documents documents, const Context& context, Report& report);
void check_resources(Documents documents, const Context& context, Report& report);
void check_expressions(Documents documents, const Context& context, Report& report);

/// Keys and values of labels, wherever they stand.
void check_label_map(const Document& document, const std::string& path, const Json& labels,
                     Report& report);

}  // namespace aictl::manifest
