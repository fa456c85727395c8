#include "core/manifest/references/world.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/manifest/references/table.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

bool is_empty(const Json& value) {
  return value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty()) ||
         (value.is_object() && value.empty());
}

void find_below(const Json& value, std::string_view path, const std::string& at, const Json* holder,
                std::vector<Field>& found) {
  if (path.empty()) {
    if (!is_empty(value)) found.push_back({at, &value, "", holder});
    return;
  }
  const size_t dot = path.find('.');
  std::string_view head = path.substr(0, dot);
  const std::string_view rest = dot == path.npos ? std::string_view() : path.substr(dot + 1);
  if (!value.is_object()) return;
  if (head == "*~") {
    for (const auto& item : value.items())
      found.push_back({join(at, item.key()), nullptr, item.key(), &value});
    return;
  }
  if (head == "*") {
    for (const auto& item : value.items())
      find_below(item.value(), rest, join(at, item.key()), &value, found);
    return;
  }
  const bool many = head.ends_with("[]");
  if (many) head.remove_suffix(2);
  const Json* next = member(value, head);
  if (next == nullptr) return;
  const std::string here = join(at, head);
  if (!many) return find_below(*next, rest, here, &value, found);
  if (!next->is_array()) return;
  for (size_t i = 0; i < next->size(); ++i)
    find_below((*next)[i], rest, fmt::format("{}[{}]", here, i), next, found);
}

PodPorts ports_of(const PodTemplate& pod) {
  PodPorts ports;
  for (const Container& container : containers(pod))
    for (const Entry& port : entries(*container.value, "ports", "")) {
      if (const std::string_view name = text(*port.value, "name"); !name.empty())
        ports.names.push_back(name);
      ports.numbers.push_back(integer(*port.value, "containerPort", 0));
    }
  return ports;
}

bool shares_namespace(std::string_view left, std::string_view right) {
  return left.empty() || right.empty() || left == right;
}

std::string_view kind_in(std::string_view target) { return target.substr(0, target.find('.')); }

// Each alternative of "A.x|B.y".
template <typename Visit>
void for_each_target(std::string_view targets, Visit visit) {
  for (;;) {
    const size_t bar = targets.find('|');
    visit(targets.substr(0, bar));
    if (bar == targets.npos) return;
    targets.remove_prefix(bar + 1);
  }
}

}  // namespace

std::vector<Field> find_fields(const Json& value, std::string_view path,
                               const std::string& prefix) {
  std::vector<Field> found;
  find_below(value, path, prefix, nullptr, found);
  return found;
}

std::string kind_and_group(const Document& document) {
  return fmt::format("{}.{}", document.kind(), document.group());
}

World::World(Documents documents, const Context& context)
    : documents_(documents), context_(context) {
  for (const Document& document : documents_) {
    const std::string kind = kind_and_group(document);
    names_[{kind, std::string(document.name())}].push_back({document.name_space(), &document});
    for (const DerivedObject& made : derived_objects()) {
      if (made.kind != kind) continue;
      std::string name;
      if (made.name.starts_with('.')) {
        for (const Field& field : find_fields(document.object, made.name.substr(1)))
          if (field.value->is_string()) name = field.value->get<std::string>();
      } else {
        name = made.name;
        if (const size_t hole = name.find("{}"); hole != name.npos)
          name.replace(hole, 2, document.name());
      }
      names_[{std::string(made.target), name}].push_back({document.name_space(), nullptr});
    }
    for (const PodTemplate& pod : pod_templates(document)) {
      const Json& metadata =
          document.kind() == "Pod" ? mapping(document.object, {"metadata"}) : *pod.metadata;
      pods_.push_back({&mapping(metadata, {"labels"}), document.name_space(), ports_of(pod)});
    }
  }
}

bool World::is_external(std::string_view target, std::string_view name) const {
  const std::string by_kind = fmt::format("{}/{}", kind_in(target), name);
  const std::string by_group = fmt::format("{}/{}", target, name);
  const auto covers = [&](std::string_view glob) {
    return matches_glob(glob, by_kind) || matches_glob(glob, by_group);
  };
  return std::ranges::any_of(provided_objects(), covers) ||
         std::ranges::any_of(context_.external, covers);
}

World::Finding World::find(std::string_view targets, std::string_view name,
                           std::string_view space) const {
  Finding finding;
  std::string_view elsewhere;
  std::string kinds;
  bool external = false;
  for_each_target(targets, [&](std::string_view target) {
    kinds += fmt::format("{}{}", kinds.empty() ? "" : " or ", kind_in(target));
    external = external || is_external(target, name);
    const auto known = names_.find(std::pair(std::string(target), std::string(name)));
    if (known == names_.end() || finding.found) return;
    for (const Known& each : known->second) {
      if (is_cluster_scoped(kind_in(target)) || shares_namespace(each.space, space)) {
        finding.found = true;
        finding.document = each.document;
        return;
      }
      elsewhere = each.space;
    }
  });
  if (finding.found || external) {
    finding.found = true;
    return finding;
  }
  finding.problem = elsewhere.empty() ? fmt::format("no {} named '{}'", kinds, name)
                                      : fmt::format("{} '{}' is in namespace {}, not {}", kinds,
                                                    name, elsewhere, space);
  return finding;
}

std::vector<PodPorts> World::selected(const Json& selector, std::string_view space) const {
  std::vector<PodPorts> found;
  for (const Pod& pod : pods_) {
    bool all = shares_namespace(pod.space, space);
    for (const auto& item : selector.items()) {
      const bool by_operator = std::ranges::any_of(operator_labels(), [&](std::string_view prefix) {
        return item.key().starts_with(prefix);
      });
      const Json* label = member(*pod.labels, item.key());
      all = all && (by_operator || (label != nullptr && *label == item.value()));
    }
    if (all) found.push_back(pod.ports);
  }
  return found;
}

std::string World::group_of(std::string_view kind, std::string_view otherwise) const {
  std::set<std::string_view> groups;
  for (const auto& entry : names_) {
    const std::string_view known = entry.first.first;
    if (kind_in(known) == kind) groups.insert(known.substr(kind.size() + 1));
  }
  return std::string(groups.contains(otherwise) || groups.size() != 1 ? otherwise
                                                                      : *groups.begin());
}

}  // namespace aictl::manifest
