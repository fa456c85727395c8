// The structural check: a document against its schema, as an API server does it before anything
// else.
#pragma once

#include <string>
#include <vector>

#include "core/manifest/catalog/catalog.hpp"
#include "core/manifest/document.hpp"

namespace aictl::manifest {

/// Checks apiVersion, kind and every field of `document`: unknown fields, required ones after
/// defaulting, types, enums, patterns, formats, bounds, list maps. Sets `document.known` where the
/// later rules may look at it. Rules: "schema/...". A deprecated version is a warning.
void check_structure(const Catalog& catalog, Document& document, Report& report);

/// apiVersion and kind of a document; a kustomization and a job file of Armada may leave them out.
std::pair<std::string, std::string> identify(const Document& document);

/// `object` as a server stores it: null fields dropped where the schema does not allow null,
/// defaults filled in. What CEL sees.
Json complete(const Json& object, const Schema& schema);

}  // namespace aictl::manifest
