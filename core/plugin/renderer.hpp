// Renderer: writes a planned platform down for one system: Kubernetes objects, or files of another
// kind.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/config/schema.hpp"
#include "core/value/json.hpp"

namespace aictl {

namespace platform {
struct PlatformPlan;
class Trace;
}  // namespace platform

/// An object with what is worth knowing about its fields.
struct RenderedObject {
  Json object;
  std::map<std::string, std::string> comments;  // by JSON pointer; the object's own under ""
  /// When traced: the variables that each field's text came from, by JSON pointer; "" among them:
  /// the template's own words; "=templates/...": those of another that it took in.
  std::map<std::string, std::vector<std::string>> variables = {};
};

/// A file that is not a Kubernetes object; its path is relative to the output folder.
struct RenderedFile {
  std::string path, content;
};

struct Rendering {
  std::vector<RenderedObject> objects;
  std::vector<RenderedFile> files;
  std::vector<std::string> notes;      // what to install or switch on first, for people
  std::vector<std::string> externals;  // "Kind/name" that must exist already
  std::map<std::string, std::set<std::string>> keys = {};  // of the Secrets among those
};

struct RenderRequest {
  const platform::PlatformPlan& plan;
  std::filesystem::path
      templates;  // overrides the built-in ones where it has the file; empty: none
  std::vector<std::string> targets;  // all that are written down together, by name
  platform::Trace* trace = nullptr;  // where to note what comes from what; may be null
};

/// An extension point: plugins/renderers/<name>. Pure: the same request gives the same bytes, in
/// any folder, time zone and locale.
class Renderer {
 public:
  virtual ~Renderer() = default;
  /// Its knobs: keys of `targets.<name>` in the spec, and what they are by default.
  virtual std::vector<Row> rows() { return {}; }
  /// The target whose objects this one adds to, and which is therefore written down with it; empty
  /// where it stands alone.
  virtual std::string stands_on() const { return {}; }
  /// Errors: kInvalidArgument or kDataRefused naming the spec's field when the platform cannot be
  /// had on this system; with the arithmetic when something does not fit.
  virtual Result<Rendering> render(const RenderRequest& request) const = 0;
};

using RendererFactory = std::function<std::unique_ptr<Renderer>()>;

}  // namespace aictl
