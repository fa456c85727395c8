// What a plain (unquoted) YAML scalar means: the two answers that matter, YAML 1.2's core schema
// for our own files and YAML 1.1 as Kubernetes' parser reads it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/value/json.hpp"

namespace aictl {

enum class YamlDialect { kCore, kKubernetes };

/// The value of a plain scalar; text that is no null, boolean or number stays a string. Nothing for
/// what JSON cannot hold: .inf and .nan, in the dialect that knows them.
std::optional<Json> plain_value(std::string_view text, YamlDialect dialect);

/// Whether `text` may be written without quotes as far as its meaning goes: no reader of YAML 1.1
/// or 1.2 that we know takes it for a number, a boolean, null, a date or a time. Says nothing about
/// characters that are syntax.
bool means_itself(std::string_view text);

}  // namespace aictl
