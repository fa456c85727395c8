#include "core/manifest/check/walk.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_set>

#include <fmt/format.h>

#include "core/base/utf8.hpp"
#include "core/manifest/check/formats.hpp"
#include "core/manifest/check/pattern.hpp"
#include "core/manifest/quantity.hpp"

namespace aictl::manifest {
namespace {

const Schema kAnything;

// Words of the core API for which "" is as good as absent: a server fills in the default. Sets of
// words that are elsewhere behind a pointer, where "" is a word of its own, are not here.
constexpr std::string_view kDefaulted[] = {
    "Always IfNotPresent Never",                          // imagePullPolicy, pullPolicy
    "Always OnFailure Never",                             // restartPolicy
    "ClusterFirst ClusterFirstWithHostNet Default None",  // dnsPolicy
    "File FallbackToLogsOnError",                         // terminationMessagePolicy
    "HTTP HTTPS",                                         // scheme
    "ClusterIP ExternalName LoadBalancer NodePort",       // type of a Service
    "ClientIP None",                                      // sessionAffinity
    "Recreate RollingUpdate",                             // strategies
    "OnDelete RollingUpdate",
    "OrderedReady Parallel",                  // podManagementPolicy
    "Allow Forbid Replace",                   // concurrencyPolicy
    "Retain Delete Recycle",                  // persistentVolumeReclaimPolicy
    "NoSchedule PreferNoSchedule NoExecute",  // effect of a toleration
    "Exists Equal Gt Lt",                     // operator of a toleration
};
// No server looks at this one; kubelets do.
constexpr std::string_view kMedium = " Memory HugePages HugePages-2Mi HugePages-1Gi";

// Fields of the core API that the published schema requires and a server takes as zero: the field,
// and one that only the same mapping has.
struct Zero {
  std::string_view field, beside;
};
constexpr Zero kZeros[] = {{"value", "globalDefault"},      // PriorityClass
                           {"seconds", "seconds"},          // preStop.sleep
                           {"podSelector", "policyTypes"},  // NetworkPolicy
                           {"preference", "weight"}};       // of nodes

std::string joined(const Json& words) {
  std::string text;
  for (const Json& word : words)
    text += (text.empty() && &word == &words.front() ? "" : " ") +
            (word.is_string() ? word.get<std::string>() : "");
  return text;
}

bool is_lenient(const Json& value, const Json& allowed) {
  if (!value.is_string()) return false;
  const std::string words = joined(allowed);
  return words == kMedium || (value == "" && std::ranges::count(kDefaulted, words) > 0);
}

bool may_be_zero(const Schema& schema, std::string_view name) {
  return std::ranges::any_of(kZeros, [&](const Zero& zero) {
    return zero.field == name && schema.property(zero.beside) != nullptr;
  });
}

bool fits_type(const Json& value, Type type) {
  switch (type) {
    case Type::kString:
      return value.is_string();
    case Type::kBoolean:
      return value.is_boolean();
    case Type::kArray:
      return value.is_array();
    case Type::kObject:
      return value.is_object();
    case Type::kNumber:
      return value.is_number();
    case Type::kInteger:
      return value.is_number_integer() ||
             (value.is_number_float() && std::floor(value.get<double>()) == value.get<double>());
    case Type::kAny:
      break;
  }
  return true;
}

// The alternatives of a junctor in a few words.
std::string forms(const std::vector<const Schema*>& schemas) {
  std::string text;
  for (const Schema* schema : schemas) {
    if (!text.empty()) text += " | ";
    if (!schema->required.empty())
      text += fmt::format("{}", fmt::join(schema->required, "+"));
    else if (schema->type != Type::kAny)
      text += word(schema->type);
    else if (!schema->properties.empty())
      for (const Property& property : schema->properties)
        text += (&property == schema->properties.data() ? "fields " : ", ") + property.name;
    else if (!schema->pattern.empty())
      text += "text like " + schema->pattern;
    else
      text += "a bound";
  }
  return text;
}

class Walk {
 public:
  // Without `say` it stops at the first problem: `failed` is all that is asked.
  Walk(const WalkOptions& options, const Say* say) : options_(options), say_(say) {}

  // strict: unknown fields are problems. free: those of this value are open all the same.
  void check(const Json& value, const Schema& schema, bool strict, bool free, bool in_list) {
    if (say_ == nullptr && failed_) return;
    if (value.is_null()) {
      if (in_list && !schema.nullable && schema.type != Type::kAny)
        say("schema/type", fmt::format("null where {} is expected", word(schema.type)));
      return;
    }
    if (schema.quantity) return quantity(value);
    if (schema.int_or_string) {
      if (!value.is_string() && !value.is_number_integer())
        return say("schema/type",
                   fmt::format("{} where integer or string is expected", type_name(value)));
      if (!fits_int32(value))
        say("schema/format", fmt::format("{} is not a valid int32", shown(value)));
    } else if (!typed(value, schema)) {
      return;
    }
    constraints(value, schema);
    junctors(value, schema, in_list);
    if (value.is_object()) mapping(value, schema, strict && !free);
    if (value.is_array()) sequence(value, schema, strict);
  }

  bool failed() const { return failed_; }
  std::string path;

 private:
  void say(std::string_view rule, std::string message, std::string hint = "") {
    failed_ = true;
    if (say_ != nullptr) (*say_)(path, rule, std::move(message), std::move(hint));
  }

  // Runs `step` with the path of a child.
  template <typename Step>
  void at(std::string_view name, Step&& step) {
    const size_t size = path.size();
    if (size != 0) path += '.';
    path += name;
    step();
    path.resize(size);
  }
  template <typename Step>
  void at(size_t index, Step&& step) {
    const size_t size = path.size();
    path += fmt::format("[{}]", index);
    step();
    path.resize(size);
  }

  bool matches(const Json& value, const Schema& schema, bool in_list) const {
    Walk probe(options_, nullptr);
    probe.check(value, schema, false, false, in_list);
    return !probe.failed();
  }

  void quantity(const Json& value) {
    if (!quantity_of(value))
      say("schema/quantity", fmt::format("{} is not a quantity", shown(value)),
          "write a number and a unit: 500m, 16Gi");
  }

  bool typed(const Json& value, const Schema& schema) {
    if (fits_type(value, schema.type)) return true;
    const bool scalar = !value.is_structured();
    say("schema/type",
        fmt::format("{}{} where {} is expected", type_name(value),
                    scalar ? fmt::format(" ({})", shown(value)) : "", word(schema.type)),
        scalar && schema.type == Type::kString ? fmt::format("quote it: \"{}\"", dump_json(value))
                                               : "");
    return false;
  }

  void constraints(const Json& value, const Schema& schema) {
    if (schema.allowed.is_array()) one_of(value, schema.allowed);
    if (value.is_string()) {
      const auto& text = value.get_ref<const std::string&>();
      if (!schema.pattern.empty() && !pattern_matches(schema.pattern, text))
        say("schema/pattern", fmt::format("{} does not match {}", shown(value), schema.pattern));
      if (schema.min_length > 0 || schema.max_length != Schema::kNoLimit)
        bounds(utf8::count(text), schema.min_length, schema.max_length, "characters");
    } else if (value.is_number()) {
      range(value, schema);
    } else if (value.is_array()) {
      bounds(value.size(), schema.min_items, schema.max_items, "items");
    } else if (value.is_object()) {
      bounds(value.size(), schema.min_properties, schema.max_properties, "entries");
    }
    if (!schema.format.empty() && !has_format(value, schema.format))
      say("schema/format", fmt::format("{} is not a valid {}", shown(value), schema.format));
  }

  void one_of(const Json& value, const Json& allowed) {
    std::string list;
    std::vector<Property> names;
    for (const Json& one : allowed) {
      if (one == value) return;
      list += (list.empty() ? "" : ", ") + shown(one);
      if (one.is_string()) names.push_back({one.get<std::string>(), nullptr});
    }
    if (!options_.custom && is_lenient(value, allowed)) return;
    const std::string near = value.is_string() ? similar(value.get<std::string>(), names) : "";
    say("schema/enum", fmt::format("{} is not one of {}", shown(value), list),
        near.empty() ? "" : fmt::format("did you mean {}?", near));
  }

  void range(const Json& value, const Schema& schema) {
    const double number = value.get<double>();
    if (schema.minimum &&
        (number < *schema.minimum || (number == *schema.minimum && schema.exclusive_minimum)))
      say("schema/range", fmt::format("{} is below the minimum {}", shown(value), *schema.minimum));
    if (schema.maximum &&
        (number > *schema.maximum || (number == *schema.maximum && schema.exclusive_maximum)))
      say("schema/range", fmt::format("{} is above the maximum {}", shown(value), *schema.maximum));
    if (schema.multiple_of && *schema.multiple_of != 0 &&
        std::fmod(number, *schema.multiple_of) != 0)
      say("schema/range",
          fmt::format("{} is not a multiple of {}", shown(value), *schema.multiple_of));
  }

  void bounds(size_t size, size_t least, size_t most, std::string_view unit) {
    if (size < least)
      say("schema/size", fmt::format("{} {}, at least {} needed", size, unit, least));
    if (size > most) say("schema/size", fmt::format("{} {}, at most {} allowed", size, unit, most));
  }

  void junctors(const Json& value, const Schema& schema, bool in_list) {
    for (const Schema* part : schema.all_of) check(value, *part, false, false, in_list);
    const auto count = [&](const std::vector<const Schema*>& parts, size_t enough) {
      size_t matching = 0;
      for (const Schema* part : parts)
        if (matching < enough && matches(value, *part, in_list)) ++matching;
      return matching;
    };
    if (!schema.any_of.empty() && count(schema.any_of, 1) == 0)
      say("schema/forms",
          fmt::format("matches none of the allowed forms ({})", forms(schema.any_of)));
    if (!schema.one_of.empty())
      if (const size_t matching = count(schema.one_of, schema.one_of.size()); matching != 1)
        say("schema/forms", fmt::format("matches {} of the allowed forms, exactly one needed ({})",
                                        matching, forms(schema.one_of)));
    if (schema.none_of != nullptr && matches(value, *schema.none_of, in_list))
      say("schema/forms",
          fmt::format("has a form that is not allowed ({})", forms({schema.none_of})));
  }

  void mapping(const Json& value, const Schema& schema, bool strict) {
    for (const std::string& name : schema.required)
      if (const auto found = value.find(name); (found == value.end() || found->is_null()) &&
                                               (options_.custom || !may_be_zero(schema, name)))
        at(name, [&] { say("schema/required", "required field is missing"); });
    const bool embedded = schema.embedded_resource;
    if (embedded)
      for (const char* name : {"apiVersion", "kind"})
        if (!value.contains(name))
          at(name,
             [&] { say("schema/required", "required field of an embedded object is missing"); });
    for (const auto& entry : value.items()) {
      const std::string& name = entry.key();
      const Schema* below = schema.below(name);
      if (embedded && (name == "apiVersion" || name == "kind")) below = &kAnything;
      if (embedded && name == "metadata") below = options_.object_meta;
      if (below != nullptr)
        at(name, [&] { check(entry.value(), *below, strict, false, false); });
      else if (strict && !schema.preserve_unknown && !schema.additional_open)
        at(name, [&] { unknown(name, schema); });
    }
  }

  void unknown(std::string_view name, const Schema& schema) {
    const std::string near = similar(name, schema.properties);
    say("schema/unknown-field", "unknown field",
        near.empty() ? "" : fmt::format("did you mean {}?", near));
  }

  void sequence(const Json& value, const Schema& schema, bool strict) {
    const Schema& items = schema.items != nullptr ? *schema.items : kAnything;
    for (size_t i = 0; i < value.size(); ++i)
      at(i, [&] { check(value[i], items, strict, schema.preserve_unknown, true); });
    const bool keyed = schema.list_type == ListType::kMap && !schema.list_map_keys.empty();
    const bool unique = options_.custom && (keyed || schema.list_type == ListType::kSet);
    if (unique || schema.unique_items) duplicates(value, keyed ? &schema.list_map_keys : nullptr);
  }

  void duplicates(const Json& value, const std::vector<std::string>* keys) {
    std::unordered_set<std::string> seen;
    for (size_t i = 0; i < value.size(); ++i) {
      Json identity = value[i];
      if (keys != nullptr && value[i].is_object()) {
        identity = Json::array();
        for (const std::string& key : *keys) identity.push_back(value[i].value(key, Json()));
      }
      if (seen.insert(dump_json(identity)).second) continue;
      at(i, [&] {
        say("schema/duplicate", keys != nullptr
                                    ? fmt::format("duplicate entry for {}", fmt::join(*keys, ", "))
                                    : "duplicate entry");
      });
    }
  }

  const WalkOptions& options_;
  const Say* say_;
  bool failed_ = false;
};

// The length of the longest common subsequence, letters' case aside.
size_t common(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; };
  std::vector<size_t> row(b.size() + 1);
  for (const char letter : a) {
    size_t diagonal = 0;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = lower(letter) == lower(b[j - 1]) ? diagonal + 1 : std::max(row[j], row[j - 1]);
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string similar(std::string_view word, const std::vector<Property>& names) {
  constexpr size_t kLongest = 64;  // nobody mistypes a longer word into a field
  constexpr double kLeast = 0.6;   // of the letters of both words are common
  if (word.empty() || word.size() > kLongest) return "";
  const std::string* best = nullptr;
  double best_share = kLeast;
  for (const Property& candidate : names) {
    if (candidate.name.size() > kLongest) continue;
    const double share =
        2.0 * double(common(word, candidate.name)) / double(word.size() + candidate.name.size());
    if (share > best_share || (best == nullptr && share == kLeast))
      best = &candidate.name, best_share = share;
  }
  return best == nullptr ? "" : *best;
}

std::string shown(const Json& value) {
  constexpr size_t kLongest = 80;
  std::string text = value.is_string() ? value.get<std::string>() : dump_json(value);
  if (text.size() > kLongest)
    text =
        text.substr(0, utf8::complete_prefix(std::string_view(text).substr(0, kLongest))) + "...";
  return value.is_string() ? fmt::format("'{}'", text) : text;
}

std::string_view type_name(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::boolean:
      return "boolean";
    case Json::value_t::string:
      return "string";
    case Json::value_t::array:
      return "array";
    case Json::value_t::object:
      return "object";
    case Json::value_t::number_float:
      return "number";
    default:
      return "integer";
  }
}

void walk(const Json& value, const Schema& schema, const WalkOptions& options, const Say& say) {
  Walk(options, &say).check(value, schema, true, false, false);
}

}  // namespace aictl::manifest
