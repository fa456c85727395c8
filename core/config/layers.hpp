// The layers of configuration: default < file < environment < flag. Each is applied to the rows in
// this order, and each row remembers where its value came from.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/config/schema.hpp"
#include "core/value/yaml.hpp"

namespace aictl {

/// Looks a variable up; nullopt when it is not set. A parameter, so that tests bring their own.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The process's own variables. Nothing in the program sets any, so it is callable from any thread.
Environment process_environment();

struct ConfigFile {
  std::filesystem::path path;
  YamlDocument document;
};

/// Reads `chosen` if it is not empty, else the first that exists of $XDG_CONFIG_HOME/aictl (or
/// ~/.config/aictl) and /etc/aictl, file config.yaml; nullopt when there is none. Errors: kNotFound
/// for a `chosen` that does not exist; kDataRefused with path, line and column.
Result<std::optional<ConfigFile>> find_config(const std::string& chosen, const Environment& env);

/// Refuses a file with a key that no row of `known` has. Errors: kDataRefused with path, line,
/// column and the nearest key.
Result<void> check_keys(const ConfigFile& file, const std::vector<const Schema*>& known);

/// Sets the rows the file has values for. Errors: kDataRefused with path, line and column.
Result<void> apply_file(Schema& schema, const ConfigFile& file);

/// Sets the rows whose variable is set and not empty. Errors: kInvalidArgument with the variable.
Result<void> apply_environment(Schema& schema, const Environment& env);

}  // namespace aictl
