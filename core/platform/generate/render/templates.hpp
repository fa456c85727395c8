// Templates of manifests: text in templates/<target>/, compiled into the program, which a folder of
// the user's overrides file by file. Rendered text is parsed back, so that what is written later
// does not depend on how a template is laid out.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/plugin/renderer.hpp"

namespace aictl::platform {

/// A file of templates/: its path below that folder, and its text.
struct BuiltinTemplate {
  std::string_view path, text;
};

/// All of them, by path.
std::span<const BuiltinTemplate> builtin_templates();

/// Renders the template `path` ("kubernetes/policies.yaml.j2"), of `overrides` where that folder
/// has it. Errors: kNotFound when there is none, kDataRefused with file and line on a mistake in
/// it; using a variable that is not there is one. `trace` learns where the text came from, as that
/// of the variable `as`.
Result<std::string> render_template(const std::filesystem::path& overrides, std::string_view path,
                                    const Json& variables, Trace* trace = nullptr,
                                    const std::string& as = {});

/// The same, read as YAML documents. What follows ` # ` on a line becomes the comment of the field
/// that begins there; comment lines of their own explain the template and are dropped. The
/// comment of an object itself is the template it came from. Errors: as above, and kDataRefused
/// when the text is no YAML. With a `trace` objects know the variables of their fields.
Result<std::vector<RenderedObject>> render_objects(const std::filesystem::path& overrides,
                                                   std::string_view path, const Json& variables,
                                                   Trace* trace = nullptr);

/// The objects in `text`; `name` stands in messages.
Result<std::vector<RenderedObject>> read_objects(std::string_view text, std::string_view name);

}  // namespace aictl::platform
