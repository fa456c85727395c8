// The manifests a command line names.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cli/context.hpp"
#include "core/manifest/document.hpp"

namespace aictl {

/// Calls `take` with the text and name of each file: files, the manifests of folders, "-" for
/// stdin. Errors: kNotFound, kIo, kTooLarge; kInvalidArgument when stdin is named twice.
Result<void> read_manifest_files(
    const std::vector<std::string>& arguments, cli::Context& context,
    const std::function<void(std::string_view, const std::string&)>& take);

/// Their documents. Errors: as above, and kDataRefused for text that is no YAML.
Result<std::vector<manifest::Document>> read_manifests(const std::vector<std::string>& arguments,
                                                       cli::Context& context);

}  // namespace aictl
