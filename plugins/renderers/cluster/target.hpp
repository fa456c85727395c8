// Target: a row of the table of systems that are written down from templates: which templates, how
// its pods differ, what it lets people choose. A new system is a folder of templates and a row.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/schema.hpp"
#include "core/platform/generate/cluster/cluster.hpp"
#include "core/plugin/renderer.hpp"

namespace aictl::renderers {

/// A key of `targets.<name>`; the kind of its default is its kind.
struct Knob {
  std::string name;
  Json fallback;  // bool, integer, text or list of texts
  std::string help;
  std::vector<std::string> words = {};  // of a text; empty: any
};

/// A file that is no object of the API server: of a kubelet, of another tool.
struct FileTemplate {
  std::string path;  // of the output; with {pool} in it there is one for each pool
  std::string from;  // the template
};

struct Target {
  std::string name, description;
  std::vector<std::string> templates;  // of objects, below templates/
  std::vector<FileTemplate> files = {};
  Json style = Json::object();  // of pods, see pod_style
  std::vector<Knob> knobs = {};
  bool based = true;       // adds to what `kubernetes` writes
  std::string other = {};  // the variable of pods in another style beside them; empty: none
  Json other_style = Json::object();
  /// Works out what a template cannot. Errors: as Renderer::render.
  Result<void> (*refine)(const platform::Cluster& cluster, Json& variables) = nullptr;
};

/// The table.
std::span<const Target> targets();

/// Values of knobs, for rows to bind.
class KnobValues {
 public:
  explicit KnobValues(const std::vector<Knob>& knobs);
  std::vector<Row>& rows() { return rows_; }
  Json tree() const;

 private:
  std::deque<bool> flags_;  // deques: the rows point into them
  std::deque<int64_t> numbers_;
  std::deque<std::string> texts_;
  std::deque<std::vector<std::string>> lists_;
  std::vector<Row> rows_;
};

}  // namespace aictl::renderers
