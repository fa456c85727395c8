#include "core/platform/import/part.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "core/manifest/quantity.hpp"

namespace aictl::platform {
namespace {

const Json kNothing;

std::string escaped(std::string_view key) {
  std::string token(key);
  for (size_t at = 0; (at = token.find_first_of("~/", at)) != token.npos; at += 2)
    token.replace(at, 1, token[at] == '~' ? "~0" : "~1");
  return token;
}

// Keys that `aictl generate` writes in its own way, at any depth.
constexpr std::array<std::string_view, 36> kSettled = {"strategy",
                                                       "updateStrategy",
                                                       "deploymentStrategy",
                                                       "rolloutStrategy",
                                                       "upgradeStrategy",
                                                       "selector",
                                                       "serviceName",
                                                       "podManagementPolicy",
                                                       "persistentVolumeClaimRetentionPolicy",
                                                       "revisionHistoryLimit",
                                                       "progressDeadlineSeconds",
                                                       "minReadySeconds",
                                                       "securityContext",
                                                       "podSecurityContext",
                                                       "topologySpreadConstraints",
                                                       "tolerations",
                                                       "terminationGracePeriodSeconds",
                                                       "livenessProbe",
                                                       "readinessProbe",
                                                       "startupProbe",
                                                       "lifecycle",
                                                       "imagePullPolicy",
                                                       "serviceAccountName",
                                                       "serviceAccount",
                                                       "automountServiceAccountToken",
                                                       "enableServiceLinks",
                                                       "priorityClassName",
                                                       "restartPolicy",
                                                       "dnsPolicy",
                                                       "terminationMessagePath",
                                                       "terminationMessagePolicy",
                                                       "ttlSecondsAfterFinished",
                                                       "podFailurePolicy",
                                                       "completionMode",
                                                       "shutdownAfterJobFinishes",
                                                       "cooldownPeriod"};

bool is_settled(std::string_view pointer) {
  for (size_t from = 1; from <= pointer.size();) {
    const size_t slash = std::min(pointer.find('/', from), pointer.size());
    const std::string_view key = pointer.substr(from, slash - from);
    if (std::find(kSettled.begin(), kSettled.end(), key) != kSettled.end()) return true;
    from = slash + 1;
  }
  return false;
}

std::string scalar_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_primitive() && !value.is_null() ? dump_json(value) : std::string();
}

std::string text_of(const Json& json, const char* key) {
  if (!json.is_object()) return {};
  const auto found = json.find(key);
  return found == json.end() ? std::string() : scalar_text(*found);
}

}  // namespace

Part Part::operator[](std::string_view key) const {
  if (!node_ || !node_->is_object()) return {};
  const auto found = node_->find(std::string(key));
  if (found == node_->end() || found->is_null()) return {};
  return {object_, &*found, pointer_ + "/" + escaped(key)};
}

std::vector<Part> Part::items() const {
  std::vector<Part> parts;
  if (!node_ || !node_->is_array()) return parts;
  for (size_t i = 0; i < node_->size(); ++i)
    parts.emplace_back(object_, &(*node_)[i], fmt::format("{}/{}", pointer_, i));
  return parts;
}

std::vector<std::pair<std::string, Part>> Part::entries() const {
  std::vector<std::pair<std::string, Part>> parts;
  if (!node_ || !node_->is_object()) return parts;
  for (const auto& entry : node_->items())
    parts.emplace_back(entry.key(),
                       Part(object_, &entry.value(), pointer_ + "/" + escaped(entry.key())));
  return parts;
}

size_t Part::size() const { return node_ && node_->is_structured() ? node_->size() : 0; }

std::string Part::text() const {
  if (!node_ || node_->is_structured()) return {};
  take();
  return scalar_text(*node_);
}

std::optional<int64_t> Part::integer() const {
  if (!node_) return std::nullopt;
  if (node_->is_number_unsigned()) {
    const auto value = node_->get<uint64_t>();
    if (value > uint64_t(std::numeric_limits<int64_t>::max())) return std::nullopt;
    return take(), int64_t(value);
  }
  if (node_->is_number_integer()) return take(), node_->get<int64_t>();
  if (!node_->is_string()) return std::nullopt;
  const auto& text = node_->get_ref<const std::string&>();
  int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return take(), value;
}

double Part::amount() const {
  if (!node_) return 0;
  const auto quantity = manifest::quantity_of(*node_);
  if (!quantity) return 0;
  take();
  return std::max(0.0, double(quantity->nano) / 1e9);
}

bool Part::is_true() const {
  if (!node_ || !node_->is_boolean()) return false;
  return take(), node_->get<bool>();
}

const Json& Part::tree() const {
  if (!node_) return kNothing;
  return take(), *node_;
}

std::vector<std::string> Part::texts() const {
  std::vector<std::string> list;
  for (const Part& item : items()) list.push_back(item.text());
  return list;
}

std::vector<std::pair<std::string, std::string>> Part::labels() const {
  std::vector<std::pair<std::string, std::string>> list;
  for (const auto& entry : entries()) list.emplace_back(entry.first, entry.second.text());
  return list;
}

void Part::take() const {
  if (object_) object_->take(pointer_);
}

void Part::leave(std::string why) const {
  if (object_ && node_) object_->leave(pointer_, std::move(why));
}

Object::Object(const Json& json) : json_(&json) {
  kind_ = text_of(json, "kind");
  const std::string version = text_of(json, "apiVersion");
  const size_t slash = version.find('/');
  group_ = slash == version.npos ? "" : version.substr(0, slash);
  for (const char* key : {"apiVersion", "kind", "metadata", "status"}) take(std::string("/") + key);
  const Part meta = root()["metadata"];
  name_ = meta["name"].text();
  if (name_.empty()) name_ = text_of(json, "name");  // a file of another tool than Kubernetes
  space_ = meta["namespace"].text();
  ours_ = meta["labels"]["app.kubernetes.io/managed-by"].text() == "aictl";
  label_ = fmt::format("{}/{}{}{}", kind_.empty() ? "document" : kind_, space_,
                       space_.empty() ? "" : "/", name_);
}

std::string Object::annotation(std::string_view key) {
  return root()["metadata"]["annotations"][key].text();
}

std::string Object::label_value(std::string_view key) {
  return root()["metadata"]["labels"][key].text();
}

void Object::leave(const std::string& pointer, std::string why) {
  take(pointer);
  told_.push_back({shown_path(pointer), std::move(why)});
}

// Whether anything of the node was taken; what was not, of a node some of which was, is added.
bool Object::walk(const Json& node, const std::string& pointer,
                  std::vector<std::string>& untouched) {
  if (taken_.contains(pointer)) return true;
  if (!node.is_structured() || node.empty()) return node.is_null() || node.is_structured();
  std::vector<std::string> here;
  bool any = false;
  size_t index = 0;
  for (const auto& entry : node.items()) {
    const std::string key = node.is_array() ? fmt::format("{}", index++) : escaped(entry.key());
    std::string below = pointer + "/" + key;
    if (walk(entry.value(), below, untouched))
      any = true;
    else
      here.push_back(std::move(below));
  }
  if (any) untouched.insert(untouched.end(), here.begin(), here.end());
  return any;
}

std::vector<Object::Left> Object::left() {
  std::vector<std::string> untouched;
  walk(*json_, "", untouched);
  std::vector<Left> all = told_;
  for (const bool settled : {false, true})
    for (const std::string& pointer : untouched) {
      if (is_settled(pointer) != settled || (settled && ours_)) continue;
      all.push_back({shown_path(pointer),
                     settled ? "generate works it out itself" : "the spec has no word for it"});
    }
  return all;
}

std::string shown_path(const std::string& pointer) {
  std::string path;
  for (size_t from = 1; from <= pointer.size();) {
    const size_t slash = std::min(pointer.find('/', from), pointer.size());
    std::string key = pointer.substr(from, slash - from);
    for (size_t at = 0; (at = key.find('~', at)) != key.npos; ++at)
      key.replace(at, 2, key.compare(at, 2, "~1") == 0 ? "/" : "~");
    const bool index = !key.empty() && key.find_first_not_of("0123456789") == key.npos;
    if (index)
      path += "[" + key + "]";
    else
      path += (path.empty() ? "" : ".") + key;
    from = slash + 1;
  }
  return path.empty() ? "." : path;
}

}  // namespace aictl::platform
