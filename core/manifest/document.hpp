// Documents: Kubernetes objects as Kubernetes' own parser would see them, and where each field
// stands.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/manifest/problem.hpp"
#include "core/value/yaml.hpp"

namespace aictl::manifest {

struct Kind;

/// One object. The fields of `object` are in the order they were written; anchors and merge keys
/// are resolved. Without a file (something generated) `places` is empty and every place is 0.
struct Document {
  Json object;
  std::string file;
  int number = 1;                             // within its file, from 1; items of a List count
  std::map<std::string, SourcePlace> places;  // by JSON pointer
  /// Its row of the catalog, set by `check_structure`; nullptr: unknown or malformed, and rules
  /// pass such a document by.
  const Kind* known = nullptr;

  /// Text fields; empty where absent or of another type.
  std::string_view api_version() const;  // "apps/v1"
  std::string_view group() const;        // "apps"; "" is the core API
  std::string_view kind() const;
  std::string_view name() const;        // metadata.name
  std::string_view name_space() const;  // metadata.namespace

  /// "Deployment/qwen"; "Pod/document 3" without a name.
  std::string label() const;
  /// Where the field stands; where it is absent, its nearest parent.
  SourcePlace place(std::string_view path) const;
};

/// What a file holds: the documents that could be read and, as problems of rule "yaml", the others.
struct Reading {
  std::vector<Document> documents;
  std::vector<Problem> problems;
};

inline constexpr size_t kMaxManifestBytes = size_t{32} << 20;

/// Reads `text`, YAML (several documents) or JSON, with YAML 1.1's words for booleans (yes, on),
/// octal numbers, no dates and no base 60; empty documents are left out and a `kind: List` gives
/// its items. A document that is no YAML, repeats a key, has a key that is no string, or holds
/// more than 1,000,000 values after its aliases are resolved becomes a problem; the others are
/// still read. Above kMaxManifestBytes nothing is read. Never throws; time is linear in the text.
Reading read_text(std::string_view text, const std::string& file);

/// As `read_text`, but the first problem is the error: kDataRefused, or kTooLarge.
Result<std::vector<Document>> read_documents(std::string_view text, const std::string& file);

/// The files a command line means: a file as it is, a folder with its *.yaml, *.yml and *.json, by
/// name and recursively, "-" as it is. Errors: kNotFound, kIo.
Result<std::vector<std::string>> find_files(const std::vector<std::string>& arguments);

}  // namespace aictl::manifest
