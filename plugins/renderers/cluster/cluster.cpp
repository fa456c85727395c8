#include "plugins/renderers/cluster/cluster.hpp"

#include <fmt/format.h>

#include "core/platform/generate/cluster/decorate.hpp"
#include "core/platform/generate/explain/trace.hpp"
#include "core/platform/generate/render/comments.hpp"
#include "core/platform/generate/render/templates.hpp"
#include "core/value/yaml_write.hpp"
#include "plugins/renderers/cluster/target.hpp"

namespace aictl::renderers {

KnobValues::KnobValues(const std::vector<Knob>& knobs) {
  for (const Knob& knob : knobs) {
    const Json& value = knob.fallback;
    if (value.is_boolean()) {
      rows_.emplace_back(knob.name, &flags_.emplace_back(value.get<bool>()), knob.help);
    } else if (value.is_number()) {
      rows_.push_back(
          Row(knob.name, &numbers_.emplace_back(value.get<int64_t>()), knob.help).range(0, 1e9));
    } else if (value.is_array()) {
      rows_.emplace_back(knob.name, &lists_.emplace_back(value.get<std::vector<std::string>>()),
                         knob.help);
    } else {
      Row row(knob.name, &texts_.emplace_back(value.get<std::string>()), knob.help);
      rows_.push_back(knob.words.empty() ? std::move(row) : std::move(row).choices(knob.words));
    }
  }
}

Json KnobValues::tree() const {
  Json tree = Json::object();
  for (const Row& row : rows_) tree[row.name()] = row.load();
  return tree;
}

namespace {

using platform::Cluster;

// What people have to know: a line a note, "needs Kind/name" an object that must be there; of a
// Secret " key KEY" may follow.
void add_notes(const std::string& text, Rendering& rendering) {
  constexpr std::string_view kNeeds = "needs ";
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line.find_first_not_of(' ') == line.npos) continue;
    if (!line.starts_with(kNeeds)) {
      rendering.notes.push_back(line);
      continue;
    }
    constexpr std::string_view kKey = " key ";
    const std::string thing = line.substr(kNeeds.size());
    const size_t key = std::min(thing.find(kKey), thing.size());
    rendering.externals.push_back(thing.substr(0, key));
    if (key < thing.size())
      rendering.keys[rendering.externals.back()].insert(thing.substr(key + kKey.size()));
  }
}

// Renders a file, or one for each pool.
Result<void> add_file(const RenderRequest& request, const FileTemplate& file, Json& variables,
                      Rendering& rendering) {
  constexpr std::string_view kPool = "{pool}";
  const size_t mark = file.path.find(kPool);
  const Json pools = mark == file.path.npos ? Json::array({Json::object()}) : variables["pools"];
  for (const Json& pool : pools) {
    variables["pool"] = pool;
    auto objects = platform::render_objects(request.templates, file.from, variables);
    if (!objects) return std::move(objects).error();
    std::string text, path = file.path;
    for (const RenderedObject& each : *objects)
      text += (text.empty() ? "" : "---\n") +
              write_yaml(each.object, platform::notes_of(each.object, each.comments));
    if (mark != path.npos) path.replace(mark, kPool.size(), pool["name"].get<std::string>());
    if (!text.empty()) rendering.files.push_back({path, std::move(text)});
  }
  return {};
}

class ClusterRenderer : public Renderer {
 public:
  explicit ClusterRenderer(const Target& target) : target_(target), shown_(target.knobs) {}

  std::vector<Row> rows() override {
    return target_.name == "kubernetes" ? platform::cluster_rows(options_) : shown_.rows();
  }
  std::string stands_on() const override { return target_.based ? "kubernetes" : ""; }

  Result<Rendering> render(const RenderRequest& request) const override {
    auto variables = variables_of(request);
    if (!variables) return std::move(variables).error();
    Rendering rendering;
    for (const std::string& path : target_.templates) {
      auto objects = platform::render_objects(request.templates, path, *variables, request.trace);
      if (!objects) return std::move(objects).error();
      for (RenderedObject& each : *objects) rendering.objects.push_back(std::move(each));
    }
    for (const FileTemplate& file : target_.files)
      if (auto added = add_file(request, file, *variables, rendering); !added)
        return std::move(added).error();
    auto notes =
        platform::render_template(request.templates, target_.name + "/notes.txt.j2", *variables);
    if (!notes) return std::move(notes).error();
    add_notes(*notes, rendering);
    return rendering;
  }

 private:
  Result<Json> variables_of(const RenderRequest& request) const {
    auto cluster = Cluster::make(request);
    if (!cluster) return std::move(cluster).error();
    auto variables = platform::platform_variables(*cluster);
    if (!variables) return std::move(variables).error();
    KnobValues values(target_.knobs);
    if (target_.name != "kubernetes") {
      const auto& given = request.plan.platform.targets;
      const auto found = given.find(target_.name);
      if (auto set = platform::set_rows(
              values.rows(), found == given.end() ? nullptr : &found->second, target_.name);
          !set)
        return std::move(set).error();
    }
    (*variables)["knobs"] = values.tree();
    if (request.trace) request.trace->alias("/knobs", "/targets/" + target_.name);
    if (request.trace) request.trace->alias("/style", "/styles/" + target_.name);
    if (target_.refine)
      if (auto refined = target_.refine(*cluster, *variables); !refined)
        return std::move(refined).error();
    Json style = target_.style;
    if (variables->contains("style")) style.update((*variables)["style"]);
    if (auto added = platform::add_pods(request, style, "pod", *variables); !added)
      return std::move(added).error();
    if (target_.other.empty()) return variables;
    Json other = target_.other_style;
    if (variables->contains("other_style")) other.update((*variables)["other_style"]);
    if (auto added = platform::add_pods(request, other, target_.other, *variables); !added)
      return std::move(added).error();
    return variables;
  }

  const Target& target_;
  KnobValues shown_;
  platform::ClusterOptions options_;
};

}  // namespace
}  // namespace aictl::renderers

namespace aictl {

void add_cluster_renderers(Plugins& plugins) {
  for (const renderers::Target& target : renderers::targets())
    plugins.renderers.add(target.name, target.description, [&target] {
      return std::make_unique<renderers::ClusterRenderer>(target);
    });
}

}  // namespace aictl
