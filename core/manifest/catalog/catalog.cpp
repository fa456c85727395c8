#include "core/manifest/catalog/catalog.hpp"

#include <zstd.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "core/base/check.hpp"
#include "core/base/nearest.hpp"
#include "core/manifest/catalog/decode.hpp"
#include "core/manifest/catalog/embedded.hpp"

namespace aictl::manifest {
namespace {

std::string unpack(std::string_view frame) {
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  CHECK(size != ZSTD_CONTENTSIZE_UNKNOWN && size != ZSTD_CONTENTSIZE_ERROR);
  std::string text(size, '\0');
  CHECK(ZSTD_decompress(text.data(), text.size(), frame.data(), frame.size()) == size);
  return text;
}

Json parse_line(std::string_view line) {
  auto value = parse_json(line);
  CHECK(value.ok());
  return std::move(*value);
}

Scope scope_of(std::string_view text) {
  if (text == "Cluster") return Scope::kCluster;
  return text == "File" ? Scope::kFile : Scope::kNamespaced;
}

}  // namespace

struct Catalog::Data {
  std::string text;
  std::vector<std::string_view> lines;            // of the nodes, into text
  std::vector<Kind> kinds;                        // sorted by apiVersion and name
  std::vector<size_t> roots;                      // the node of each kind
  std::unordered_map<std::string, size_t> index;  // "apps/v1/Deployment" -> its place in kinds
  std::vector<std::string> versions;
  size_t object_meta = 0;

  std::mutex mutex;  // guards what is decoded below and Kind::schema
  std::vector<std::unique_ptr<Schema>> nodes;

  // The node and all below it. Called with the mutex held; a schema has no cycles.
  const Schema* resolve(size_t number) {
    CHECK(number < nodes.size());
    if (!nodes[number])
      nodes[number] = std::make_unique<Schema>(
          decode_schema(parse_line(lines[number]), [this](size_t n) { return resolve(n); }));
    return nodes[number].get();
  }
};

Catalog::Catalog() : data_(std::make_unique<Data>()) {
  data_->text = unpack(embedded_catalog());
  std::string_view rest = data_->text;
  const auto next = [&rest] {
    const size_t end = rest.find('\n');
    CHECK(end != rest.npos);
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return line;
  };
  const Json head = parse_line(next());
  CHECK(head["format"] == 1);
  data_->versions = head["versions"].get<std::vector<std::string>>();
  data_->object_meta = head["object_meta"].get<size_t>();
  for (size_t left = head["kinds"].get<size_t>(); left > 0; --left) {
    const Json row = parse_line(next());
    data_->kinds.push_back({row[0], row[1], scope_of(row[2].get<std::string>()), row[3].get<bool>(),
                            row[4].get<bool>(), nullptr});
    data_->roots.push_back(row[5].get<size_t>());
    data_->index[fmt::format("{}/{}", data_->kinds.back().api_version, data_->kinds.back().name)] =
        data_->kinds.size() - 1;
  }
  while (!rest.empty()) data_->lines.push_back(next());
  CHECK(data_->lines.size() == head["nodes"].get<size_t>());
  data_->nodes.resize(data_->lines.size());
}

Catalog::~Catalog() = default;

const Catalog& Catalog::builtin() {
  static const Catalog catalog;
  return catalog;
}

const Kind* Catalog::find(std::string_view api_version, std::string_view kind) const {
  const auto found = data_->index.find(fmt::format("{}/{}", api_version, kind));
  if (found == data_->index.end()) return nullptr;
  const std::lock_guard lock(data_->mutex);
  Kind& row = data_->kinds[found->second];
  if (row.schema == nullptr) row.schema = data_->resolve(data_->roots[found->second]);
  return &row;
}

std::vector<const Kind*> Catalog::kinds() const {
  std::vector<const Kind*> rows;
  for (const Kind& kind : data_->kinds) rows.push_back(&kind);
  return rows;
}

std::vector<std::string> Catalog::versions_of(std::string_view kind) const {
  std::vector<std::string> versions;
  for (const Kind& row : data_->kinds)
    if (row.name == kind) versions.push_back(row.api_version);
  return versions;
}

std::string Catalog::nearest(std::string_view kind) const {
  const std::vector<std::string> versions = versions_of(kind);
  if (!versions.empty()) return fmt::format("this kind exists in {}", fmt::join(versions, ", "));
  std::set<std::string_view> names;
  for (const Kind& row : data_->kinds) names.insert(row.name);
  const std::string near =
      aictl::nearest(kind, std::vector<std::string_view>(names.begin(), names.end()));
  return near.empty() ? "" : fmt::format("did you mean kind {}?", near);
}

const Schema* Catalog::object_meta() const {
  const std::lock_guard lock(data_->mutex);
  return data_->resolve(data_->object_meta);
}

const std::vector<std::string>& Catalog::versions() const { return data_->versions; }

}  // namespace aictl::manifest
