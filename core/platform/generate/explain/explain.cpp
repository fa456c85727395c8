#include "core/platform/generate/explain/explain.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/platform/generate/explain/leaves.hpp"
#include "core/platform/generate/explain/origins.hpp"
#include "core/platform/spec/read.hpp"

namespace aictl::platform {
namespace {

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : dump_json(value);
}

// The comment of a field or of the nearest it lies in, but the object's own.
std::string comment_on(const std::map<std::string, std::string>& comments, std::string pointer) {
  while (!pointer.empty()) {
    if (const auto found = comments.find(pointer); found != comments.end()) return found->second;
    pointer.resize(pointer.rfind('/'));
  }
  return {};
}

// A pointer as people read it: "spec/replicas".
std::string shown(const std::string& pointer) {
  std::string text = pointer.substr(1);
  for (size_t at = 0; (at = text.find('~', at)) != text.npos; ++at)
    text.replace(at, 2, text.compare(at, 2, "~1") == 0 ? "/" : "~");
  return text;
}

// The place in the spec of every value in it, by its text.
std::map<std::string, std::string> spec_values(const Platform& platform) {
  std::map<std::string, std::string> by_text;
  for_each_leaf(platform_tree(platform, false), "",
                [&](const std::string& pointer, const Json& value) {
                  const std::string text = text_of(value);
                  if (text.size() < 2 || value.is_boolean()) return;  // says nothing
                  by_text.emplace(text, origin_in_spec(platform, pointer).words);
                });
  return by_text;
}

// What complete_object adds to all.
std::string added(const Platform& platform, const std::string& pointer) {
  if (pointer == "/metadata/namespace") {
    const bool said = platform.places.contains("/namespace");
    return origin_in_spec(platform, said ? "/namespace" : "/name").words;
  }
  if (pointer.starts_with("/metadata/labels/")) return "the labels of everything of a platform";
  return {};
}

class Explainer {
 public:
  Explainer(const PlatformPlan& plan) : plan_(plan), equals_(spec_values(plan.platform)) {}

  struct Reason {
    std::string words;
    bool own = false;  // of this platform, and not of every one
  };

  Reason reason(const RenderedObject& object, const std::string& pointer, const Json& value) {
    const std::string text = text_of(value), comment = comment_on(object.comments, pointer);
    const auto source = object.comments.find("");
    const std::string from = source == object.comments.end() ? "" : source->second;
    const auto variables = object.variables.find(pointer);
    std::vector<std::string> parts;
    bool own = !comment.empty(), in_spec = false;
    std::vector<std::string> texts;  // templates that wrote some of it
    if (variables != object.variables.end())
      for (const std::string& variable : variables->second) {
        if (variable.empty() || variable[0] == '=') {
          texts.push_back(variable.empty() ? from : variable.substr(1));
          continue;
        }
        const Origin& origin = origin_at(variable, text);
        own |= origin.kind != Origin::Kind::kRule;
        in_spec |= origin.kind == Origin::Kind::kSpec;
        if (std::ranges::find(parts, origin.words) == parts.end()) parts.push_back(origin.words);
      }
    // Of what a line says, "models[0].replicas of the spec" is no news.
    const bool news = std::ranges::find(parts, comment) == parts.end() &&
                      !(in_spec && comment.ends_with(" of the spec"));
    if (!comment.empty() && news) parts.insert(parts.begin(), comment);
    if (parts.empty() && texts.empty()) parts = fallback(pointer, text, own);
    if (parts.empty() && texts.empty()) texts.push_back(from);
    for (const std::string& each : texts)
      if (!each.empty()) parts.push_back("written in " + each);
    return {fmt::format("{}", fmt::join(parts, "; ")), own};
  }

 private:
  const Origin& origin_at(const std::string& variable, const std::string& value) {
    const auto found = known_.find(variable);
    if (found != known_.end()) return found->second;
    return known_.emplace(variable, origin_of(plan_, variable, value)).first->second;
  }

  // Of what no template gave, or what was not traced.
  std::vector<std::string> fallback(const std::string& pointer, const std::string& text,
                                    bool& own) const {
    if (const std::string words = added(plan_.platform, pointer); !words.empty()) return {words};
    const auto equal = equals_.find(text);
    if (equal == equals_.end()) return {};
    own = true;
    return {"equal to " + equal->second};
  }

  const PlatformPlan& plan_;
  const std::map<std::string, std::string> equals_;
  std::map<std::string, Origin> known_;
};

}  // namespace

std::vector<Explanation> explain(const PlatformPlan& plan, const Generated& generated,
                                 const std::string& about) {
  Explainer explainer(plan);
  std::vector<Explanation> list;
  for (const RenderedObject& each : generated.objects) {
    const std::string object = fmt::format("{}/{}", each.object.value("kind", ""),
                                           each.object["metadata"].value("name", ""));
    for_each_leaf(each.object, "", [&](const std::string& pointer, const Json& value) {
      if (!about.empty() && (object + pointer).find(about) == std::string::npos) return;
      auto reason = explainer.reason(each, pointer, value);
      if (about.empty() && !reason.own) return;
      list.push_back({object, shown(pointer), text_of(value), std::move(reason.words)});
    });
  }
  return list;
}

}  // namespace aictl::platform
