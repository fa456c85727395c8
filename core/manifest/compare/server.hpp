// What a server and its controllers add to an object beside what was written.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/manifest/catalog/catalog.hpp"

namespace aictl::manifest {

using Fields = std::map<std::string, Json>;

/// Takes out of a whole object what is a kind's own affair: status, selectors that are generated,
/// the volume a claim was bound to; and fills in what a server derives from other fields.
void drop_kind_fields(Json& object, std::string_view api_version, std::string_view kind);

/// Takes out of a mapping that was described by `schema` what equals the fields beside it.
void drop_derived(Fields& fields, const Schema& schema);

/// Takes out of a metadata what servers, kubectl and controllers write.
void drop_server_metadata(Fields& fields);

/// Whether a server gave the object back: it has an identity.
bool was_served(const Json& object);

/// Whether a controller or admission fills in the field at `path` of an object of `kind` where
/// nobody wrote it, so that only having it in what was served is no difference.
bool is_filled_in(std::string_view kind, std::string_view path);

}  // namespace aictl::manifest
