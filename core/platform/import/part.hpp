// Part: a place in a manifest that remembers what was read of it, so that what nobody read can be
// told.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/value/json.hpp"

namespace aictl::platform {

class Object;

/// A node of an object, or of nothing. Reading a value takes it. Good as long as its object.
class Part {
 public:
  Part() = default;
  Part(Object* object, const Json* node, std::string pointer)
      : object_(object), node_(node), pointer_(std::move(pointer)) {}

  explicit operator bool() const { return node_ != nullptr; }
  Part operator[](std::string_view key) const;
  /// Of a list; none of anything else.
  std::vector<Part> items() const;
  /// Of a mapping.
  std::vector<std::pair<std::string, Part>> entries() const;
  size_t size() const;

  /// A scalar as text; empty where there is none.
  std::string text() const;
  /// A whole number, also one that is written as a text.
  std::optional<int64_t> integer() const;
  /// A quantity ("500m", "16Gi") in its unit; 0 where there is none.
  double amount() const;
  bool is_true() const;
  /// All of it, taken; null where there is nothing.
  const Json& tree() const;
  std::vector<std::string> texts() const;
  std::vector<std::pair<std::string, std::string>> labels() const;

  /// Takes it without reading.
  void take() const;
  /// Says why it could not be taken over.
  void leave(std::string why) const;
  const std::string& pointer() const { return pointer_; }

 private:
  Object* object_ = nullptr;
  const Json* node_ = nullptr;
  std::string pointer_;
};

/// One manifest while it is read.
class Object {
 public:
  explicit Object(const Json& json);

  Part root() { return {this, json_, ""}; }
  Part operator[](std::string_view key) { return root()[key]; }
  /// "Deployment/space/name".
  const std::string& label() const { return label_; }
  const std::string& kind() const { return kind_; }
  const std::string& group() const { return group_; }  // "apps"; "" is the core API
  const std::string& name() const { return name_; }
  const std::string& space() const { return space_; }
  /// Whether aictl generated it.
  bool ours() const { return ours_; }
  std::string annotation(std::string_view key);
  std::string label_value(std::string_view key);

  void take(const std::string& pointer) { taken_.insert(pointer); }
  void leave(const std::string& pointer, std::string why);

  /// What was told, and what nobody took: paths as people write them, and why.
  struct Left {
    std::string path, why;
  };
  std::vector<Left> left();

 private:
  bool walk(const Json& node, const std::string& pointer, std::vector<std::string>& untouched);

  const Json* json_;
  std::string label_, kind_, group_, name_, space_;
  bool ours_ = false;
  std::set<std::string, std::less<>> taken_;
  std::vector<Left> told_;
};

/// "/spec/containers/0/image" -> "spec.containers[0].image".
std::string shown_path(const std::string& pointer);

}  // namespace aictl::platform
