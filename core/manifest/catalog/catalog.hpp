// The catalog: the kinds we know and their schemas, from the data in core/manifest/schemas.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/manifest/catalog/schema.hpp"

namespace aictl::manifest {

enum class Scope : uint8_t { kNamespaced, kCluster, kFile };

/// One row: an apiVersion and kind that a document may have.
struct Kind {
  std::string api_version;  // "apps/v1"
  std::string name;         // "Deployment"
  Scope scope = Scope::kNamespaced;
  bool custom = false;  // defined by a CustomResourceDefinition: defaults and CEL apply
  bool deprecated = false;

  /// The schema of a whole object; metadata included, unless it is a file of another tool.
  const Schema* schema = nullptr;
};

class Catalog {
 public:
  /// The one in this binary. Unpacked on first use (about a millisecond); any thread.
  static const Catalog& builtin();

  /// The row, its schema decoded; nullptr when unknown. Any thread.
  const Kind* find(std::string_view api_version, std::string_view kind) const;
  /// Every row, by apiVersion and kind. The schemas of rows that `find` never gave are absent.
  std::vector<const Kind*> kinds() const;
  /// The apiVersions that have this kind, sorted.
  std::vector<std::string> versions_of(std::string_view kind) const;
  /// What to write instead of an unknown pair: "this kind exists in apps/v1", "did you mean kind
  /// Deployment?", or empty.
  std::string nearest(std::string_view kind) const;
  /// metav1.ObjectMeta.
  const Schema* object_meta() const;
  /// The sources and their versions: "kubernetes-sigs/kueue v0.19.2".
  const std::vector<std::string>& versions() const;

  Catalog(const Catalog&) = delete;
  ~Catalog();

 private:
  Catalog();
  struct Data;
  std::unique_ptr<Data> data_;
};

}  // namespace aictl::manifest
