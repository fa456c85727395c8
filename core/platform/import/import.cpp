#include "core/platform/import/import.hpp"

#include <algorithm>
#include <list>

#include <fmt/format.h>

#include "core/platform/import/kinds/kinds.hpp"
#include "core/value/yaml.hpp"

namespace aictl::platform {
namespace {

// What stands at a pointer; nullptr where it, or a part of the way, is absent.
const Json* at(const Json& object, const char* pointer) {
  const Json::json_pointer place(pointer);
  return object.is_structured() && object.contains(place) ? &object[place] : nullptr;
}

std::string text_at(const Json& object, const char* pointer) {
  const Json* found = at(object, pointer);
  return found && found->is_string() ? found->get<std::string>() : std::string();
}

Json* model_of(Json& spec, const std::string& name, const std::string& source) {
  if (!spec.contains("models") || !spec["models"].is_array()) return nullptr;
  for (Json& model : spec["models"])
    if (model.is_object() &&
        (text_at(model, "/name") == name ||
         (text_at(model, "/name").empty() && text_at(model, "/source") == source)))
      return &model;
  return nullptr;
}

// Takes over what was changed by hand. An autoscaled workload has no replicas of its own.
void take_over(Json& spec, const Json& object) {
  const std::string name = text_at(object, "/metadata/annotations/aictl.dev~1model");
  if (name.empty()) return;
  Json* model = model_of(spec, name, text_at(object, "/metadata/annotations/aictl.dev~1source"));
  if (!model) return;
  const Json* scaled = at(object, "/spec/predictor/minReplicas");
  const Json* replicas = scaled ? scaled : at(object, "/spec/replicas");
  if (replicas && replicas->is_number_integer() && *replicas != model->value("replicas", Json(1)))
    (*model)["replicas"] = *replicas;
  const std::string image = text_at(object, "/spec/template/spec/containers/0/image");
  const std::string made = text_at(object, "/metadata/annotations/aictl.dev~1image");
  if (!image.empty() && !made.empty() && image != made) (*model)["image"] = image;
}

// The ConfigMap that carries a spec; nullptr without one. Errors: kDataRefused when there are two.
Result<const Json*> find_carrier(std::span<const Json> objects) {
  const Json* carrier = nullptr;
  for (const Json& object : objects) {
    if (text_at(object, "/kind") != "ConfigMap" || !at(object, "/metadata/labels/aictl.dev~1spec"))
      continue;
    if (carrier)
      return Error{
          ErrorCode::kDataRefused,
          fmt::format("two specs: in ConfigMap {} and in {}", text_at(*carrier, "/metadata/name"),
                      text_at(object, "/metadata/name")),
          "import the manifests of one platform at a time"};
    carrier = &object;
  }
  return carrier;
}

Result<Imported> carried_spec(const Json& carrier, std::span<const Json> objects) {
  auto spec = parse_yaml(text_at(carrier, "/data/aictl.yaml"));
  if (!spec)
    return std::move(spec).error().within(
        fmt::format("ConfigMap {}", text_at(carrier, "/metadata/name")));
  if (!spec->tree.is_object())
    return Error{ErrorCode::kDataRefused, "the ConfigMap of the spec holds none", ""};
  for (const Json& object : objects) take_over(spec->tree, object);
  return Imported{std::move(spec->tree), {}};
}

// Names the platform may have, the likeliest first: what aictl wrote, then the namespace.
void add_names(Object& object, Draft& draft) {
  const std::string part_of = object.label_value("app.kubernetes.io/part-of");
  const auto add = [](std::vector<std::string>& to, bool first, const std::string& name) {
    if (!name.empty() && std::ranges::find(to, name) == to.end())
      to.insert(first ? to.begin() : to.end(), name);
  };
  add(draft.names, object.ours(), part_of);
  const bool elsewhere = object.group() == "planetscale.com" ||
                         object.group() == "kafka.strimzi.io" || object.group() == "ceph.rook.io";
  add(draft.spaces, !elsewhere && draft.spaces.empty(), object.space());
}

Draft read_objects(std::span<const Json> objects) {
  Draft draft;
  std::list<Object> read;  // they refer to one another
  std::vector<std::pair<const Kind*, Object*>> rows;
  for (const Json& json : objects) {
    Object& object = read.emplace_back(json);
    const Kind* kind = find_kind(object);
    add_names(object, draft);
    if (kind)
      rows.emplace_back(kind, &object);
    else
      draft.leave(object.label(), ".", "import does not know the kind");
    if (kind && !kind->target.empty()) draft.targets[std::string(kind->target)];
  }
  std::ranges::stable_sort(rows, {}, [](const auto& row) { return row.first->phase; });
  for (const auto& row : rows) row.first->add(*row.second, draft);
  for (const auto& row : rows)
    for (Object::Left& left : row.second->left())
      draft.leave(row.second->label(), std::move(left.path), std::move(left.why));
  return draft;
}

bool same(const Json& value, const std::vector<std::string>& any) {
  return value.is_string() && std::ranges::find(any, value.get<std::string>()) != any.end();
}

// Knobs that say what they would be anyway: their default, or what an empty one stands for.
void drop_usual_knobs(Json& spec, const Plugins& plugins) {
  if (!spec.contains("targets") || !spec["targets"].is_object()) return;
  const std::string name = text_at(spec, "/name");
  const std::string space = spec.contains("namespace") ? text_at(spec, "/namespace") : name;
  const std::vector<std::string> derived = {
      name, space, fmt::format("{}-kafka-bootstrap.{}.svc:9092", name, space)};
  for (const auto& row : plugins.renderers.rows()) {
    if (!spec["targets"].contains(row.name)) continue;
    Json& knobs = spec["targets"][row.name];
    if (!knobs.is_object()) continue;
    const auto renderer = row.make();
    for (const Row& knob : renderer->rows()) {
      if (!knobs.contains(knob.name())) continue;
      const Json usual = knob.load(), &value = knobs[knob.name()];
      if (value == usual || (usual == "" && same(value, derived))) knobs.erase(knob.name());
    }
  }
}

}  // namespace

Result<Imported> import_spec(std::span<const Json> objects, const Plugins* plugins) {
  const auto carrier = find_carrier(objects);
  if (!carrier) return carrier.error();
  if (*carrier) return carried_spec(**carrier, objects);
  Draft draft = read_objects(objects);
  Json spec = finish(draft);
  if (plugins) drop_usual_knobs(spec, *plugins);
  spec = readable(std::move(spec), draft, plugins);
  if (spec.is_null())
    return Error{ErrorCode::kDataRefused,
                 fmt::format("nothing to run in {} object{}", objects.size(),
                             objects.size() == 1 ? "" : "s"),
                 "give manifests of models, agents, jobs or a gateway; `aictl import` takes over "
                 "what aictl generates and its like"};
  return Imported{std::move(spec), std::move(draft.untaken)};
}

std::vector<std::string> untaken_lines(std::span<const Untaken> untaken) {
  constexpr size_t kMost = 4;  // paths that are named, of one reason
  struct Reason {
    std::string why;
    std::vector<std::string> paths;
  };
  std::vector<std::pair<std::string, std::vector<Reason>>> objects;
  std::map<std::string, size_t> index;
  for (const Untaken& each : untaken) {
    const auto [place, fresh] = index.try_emplace(each.object, objects.size());
    if (fresh) objects.push_back({each.object, {}});
    std::vector<Reason>& reasons = objects[place->second].second;
    auto reason = std::ranges::find(reasons, each.why, &Reason::why);
    if (reason == reasons.end()) reason = reasons.insert(reasons.end(), {each.why, {}});
    if (std::ranges::find(reason->paths, each.path) == reason->paths.end())
      reason->paths.push_back(each.path);
  }
  std::vector<std::string> lines;
  for (const auto& [object, reasons] : objects) {
    std::string line = object + ":";
    for (const Reason& reason : reasons) {
      const size_t named = std::min(reason.paths.size(), kMost);
      line +=
          fmt::format("{} {}", &reason == &reasons.front() ? "" : ";",
                      fmt::join(reason.paths.begin(), reason.paths.begin() + long(named), ", "));
      if (reason.paths.size() > named)
        line += fmt::format(" and {} more", reason.paths.size() - named);
      line += ": " + reason.why;
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace aictl::platform
