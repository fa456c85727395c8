// World: all documents by kind and name, with what operators make of them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/manifest/rule.hpp"

namespace aictl::manifest {

/// A value in a document and its path.
struct Field {
  std::string path;
  const Json* value = nullptr;  // nullptr where `path` means a key: `key` holds it
  std::string key;
  const Json* holder = nullptr;  // the object the value is a member of
};
/// The values at `path` below `value`, those that are neither null nor empty. In the path, `name[]`
/// is each item of a list, `*` each key of a mapping, `*~` the key itself.
std::vector<Field> find_fields(const Json& value, std::string_view path,
                               const std::string& prefix = "");

/// "Kind.group" of a document.
std::string kind_and_group(const Document& document);

/// Ports of a pod template a selector found, by name and number.
struct PodPorts {
  std::vector<std::string_view> names;
  std::vector<int64_t> numbers;
};

class World {
 public:
  /// The documents and the context outlive it.
  World(Documents documents, const Context& context);

  /// What was looked for: a document, something an operator makes or that is external (found, with
  /// no document), or nothing, with the reason.
  struct Finding {
    bool found = false;
    const Document* document = nullptr;
    std::string problem;
  };
  /// `targets`: as ReferenceField::target, without @.
  Finding find(std::string_view targets, std::string_view name, std::string_view space) const;
  bool is_external(std::string_view target, std::string_view name) const;
  /// The ports of every pod template whose labels the selector (a map of labels) asks for; labels
  /// of operators count as there.
  std::vector<PodPorts> selected(const Json& selector, std::string_view space) const;
  /// The one group that has documents of this kind; `otherwise` when none or several have.
  std::string group_of(std::string_view kind, std::string_view otherwise) const;

  Documents documents() const { return documents_; }

 private:
  struct Known {
    std::string_view space;
    const Document* document;  // nullptr: made by an operator
  };
  struct Pod {
    const Json* labels;
    std::string_view space;
    PodPorts ports;
  };
  Documents documents_;
  const Context& context_;
  std::map<std::pair<std::string, std::string>, std::vector<Known>, std::less<>> names_;
  std::vector<Pod> pods_;
};

}  // namespace aictl::manifest
