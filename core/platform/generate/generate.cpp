#include "core/platform/generate/generate.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace aictl::platform {
namespace {

struct Chosen {
  std::string name;
  std::unique_ptr<Renderer> renderer;
};

// The renderers of the targets in the order of the registry, with those they stand on.
Result<std::vector<Chosen>> choose(const Registry<RendererFactory>& renderers,
                                   const std::vector<std::string>& targets) {
  std::map<std::string, std::unique_ptr<Renderer>, std::less<>> wanted;
  std::vector<std::string> open = targets;
  while (!open.empty()) {
    const std::string name = std::move(open.back());
    open.pop_back();
    if (wanted.contains(name)) continue;
    auto row = renderers.find(name);
    if (!row) return std::move(row).error();
    auto& made = wanted[name] = (*row)->make();
    if (const std::string below = made->stands_on(); !below.empty()) open.push_back(below);
  }
  std::vector<Chosen> chosen;
  for (const auto& row : renderers.rows())
    if (const auto found = wanted.find(row.name); found != wanted.end())
      chosen.push_back({row.name, std::move(found->second)});
  return chosen;
}

std::string base_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

// Only the names of files: the same text wherever it was made.
std::string header_of(const PlatformPlan& plan, const GenerateRequest& request,
                      const std::vector<std::string>& targets) {
  std::string all;
  for (const std::string& target : targets) all += (all.empty() ? "" : ", ") + target;
  return fmt::format("Made by aictl {} from {} ({}).\nTargets: {}.\nTopology: {} ({}).",
                     request.version, base_name(plan.platform.file), plan.platform.digest, all,
                     base_name(plan.topology_source), plan.topology_digest);
}

void add_new(std::vector<std::string>& to, const std::vector<std::string>& from) {
  for (const std::string& each : from)
    if (std::find(to.begin(), to.end(), each) == to.end()) to.push_back(each);
}

Result<void> add_objects(const Platform& platform, std::vector<RenderedObject> objects,
                         std::map<std::string, size_t>& known, Generated& generated) {
  for (RenderedObject& each : objects) {
    if (auto checked = check_object(each); !checked) return checked;
    complete_object(platform, each.object);
    const std::string key = object_key(each.object);
    const auto [found, fresh] = known.emplace(key, generated.objects.size());
    if (fresh) {
      generated.objects.push_back(std::move(each));
    } else if (generated.objects[found->second].object != each.object) {
      return Error{ErrorCode::kConflict, fmt::format("two targets write '{}' differently", key),
                   "generate them one after the other, into folders of their own"};
    }
  }
  return {};
}

// Whether a text below `value` is the name of a thing; of a Kafka, its address. Labels say nothing
// of what an object needs.
bool mentions(const Json& value, const std::string& kind, const std::string& name) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    return kind == "Kafka" ? text.starts_with(name + "-kafka-bootstrap") : text == name;
  }
  if (!value.is_structured()) return false;
  for (const auto& [key, item] : value.items())
    if ((!value.is_object() || (key != "labels" && key != "matchLabels")) &&
        mentions(item, kind, name))
      return true;
  return false;
}

// Whether an object of a kind is among those that are written, or made from one of them.
bool is_made(const Json& object, const std::string& kind, const std::string& name) {
  if (object["kind"] == kind && object["metadata"]["name"] == name) return true;
  return kind == "Secret" && object["kind"] == "Certificate" && object.contains("spec") &&
         object["spec"].is_object() && object["spec"].value("secretName", Json()) == name;
}

// Whether what is written needs it from elsewhere. A plan knows of all its parts; a target may
// write a few of them.
bool is_needed(const Generated& generated, const std::string& kind, const std::string& name) {
  bool mentioned = generated.objects.empty();  // files for one machine name variables, not secrets
  for (const RenderedObject& each : generated.objects) {
    if (is_made(each.object, kind, name)) return false;
    for (const auto& [key, item] : each.object.items())
      mentioned |= key != "metadata" && mentions(item, kind, name);
  }
  for (const RenderedFile& file : generated.files)
    mentioned |= file.content.find(name) != std::string::npos;
  return mentioned;
}

using SecretKeys = std::map<std::string, std::set<std::string>>;  // by "Secret/name"

void add_externals(const PlatformPlan& plan, SecretKeys keys, Generated& generated) {
  std::map<std::string, std::string> how;
  for (const External& each : plan.externals) {
    const std::string thing = each.kind + "/" + each.name;
    add_new(generated.externals, {thing});
    how[thing] = each.how;
    keys[thing].insert(each.keys.begin(), each.keys.end());
  }
  std::erase_if(generated.externals, [&](const std::string& thing) {
    const size_t slash = thing.find('/');
    return !is_needed(generated, thing.substr(0, slash), thing.substr(slash + 1));
  });
  std::sort(generated.externals.begin(), generated.externals.end());
  for (const std::string& thing : generated.externals) {
    const size_t slash = thing.find('/');
    const std::string kind = thing.substr(0, slash), name = thing.substr(slash + 1);
    std::string words = how[thing];
    if (kind == "Secret" && how.contains("Kafka/" + name))
      words = "strimzi's user operator makes it beside its KafkaUser";
    if (words.empty() && !keys[thing].empty()) {
      words = fmt::format("kubectl -n {} create secret generic {}", plan.platform.space, name);
      for (const std::string& key : keys[thing])
        words += fmt::format(" --from-file={0}=./{0}", key);
    }
    if (!words.empty()) add_new(generated.notes, {fmt::format("{} '{}': {}", kind, name, words)});
  }
}

}  // namespace

Result<Generated> generate(const PlatformPlan& plan, const Registry<RendererFactory>& renderers,
                           const GenerateRequest& request) {
  auto chosen = choose(renderers, request.targets);
  if (!chosen) return std::move(chosen).error();
  Generated generated;
  for (const Chosen& each : *chosen) generated.targets.push_back(each.name);
  std::map<std::string, size_t> known;
  SecretKeys keys;
  for (const Chosen& each : *chosen) {
    auto rendering =
        each.renderer->render({plan, request.templates, generated.targets, request.trace});
    if (!rendering) return std::move(rendering).error().within(each.name);
    if (auto added = add_objects(plan.platform, std::move(rendering->objects), known, generated);
        !added)
      return std::move(added).error();
    for (RenderedFile& file : rendering->files) generated.files.push_back(std::move(file));
    add_new(generated.notes, rendering->notes);
    add_new(generated.externals, rendering->externals);
    for (auto& [secret, names] : rendering->keys) keys[secret].merge(names);
  }
  add_new(generated.notes, plan.notes);
  add_externals(plan, std::move(keys), generated);
  order_objects(generated.objects);
  std::sort(generated.files.begin(), generated.files.end(),
            [](const RenderedFile& a, const RenderedFile& b) { return a.path < b.path; });
  generated.header = header_of(plan, request, generated.targets);
  return generated;
}

}  // namespace aictl::platform
