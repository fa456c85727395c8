// Reads `aictl.yaml`: one Platform, or every mistake that is in it, each with its place.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/platform/spec/platform.hpp"
#include "core/plugin/plugins.hpp"

namespace aictl::platform {

/// Something in a spec that has to change.
struct Mistake {
  SourcePlace place;    // from 1; 0 when it has none
  std::string path;     // "models[0].replicas"; "." is the whole document
  std::string rule;     // stable: "spec/unknown-field", "spec/range"
  std::string message;  // lower case, no full stop, carries the value
  std::string hint;     // the next step, or the nearest word; may be empty
};

/// Either the platform or at least one mistake, in the order of the file.
struct SpecReading {
  std::optional<Platform> platform;
  std::vector<Mistake> mistakes;
};

/// Longest spec that is read.
inline constexpr size_t kMaxSpecBytes = size_t{1} << 20;

/// Checks a spec; `file` is its name in messages. With `plugins` the targets and their knobs are
/// checked as well. Bounded in time and memory for any bytes.
SpecReading check_platform(std::string_view text, const std::string& file,
                           const Plugins* plugins = nullptr);

/// "aictl.yaml:3:5: models[0].replicas: replicas 2000 is not in 0..1000".
std::string mistake_line(const Mistake& mistake, const std::string& file);

/// The same as one Error, kDataRefused, with a line for each mistake.
Result<Platform> read_platform(std::string_view text, const std::string& file,
                               const Plugins* plugins = nullptr);

/// Reads the file of that name; "-" is standard input. Errors: as read_file and read_platform.
Result<Platform> load_platform(const std::string& file, const Plugins* plugins = nullptr);

/// Whether a document is a platform's spec, for those who read documents of many kinds: its kind
/// is Platform, and its apiVersion is ours or absent.
bool is_platform(const Json& document);

/// The spec as a tree: what differs from the defaults, or, with `defaults`, all of it. Reading it
/// back gives the same platform.
Json platform_tree(const Platform& platform, bool defaults);

/// The published JSON schema (draft 2020-12) of `aictl.yaml`; with `plugins` the knobs of targets
/// are in it.
Json platform_schema(const Plugins* plugins = nullptr);

/// The page aictl-platform(5), as roff: every field, its default and its rule.
std::string platform_page();

}  // namespace aictl::platform
