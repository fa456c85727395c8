// Registry: the rows of one extension point, name -> description and factory, in the order they
// were added.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/base/nearest.hpp"
#include "core/base/result.hpp"

namespace aictl {

template <typename Factory>
class Registry {
 public:
  struct Row {
    std::string name, description;
    Factory make;
  };

  explicit Registry(std::string kind) : kind_(std::move(kind)) {}

  /// Adds a row. A name is added once.
  void add(std::string name, std::string description, Factory make) {
    if (row(name)) check_failed("a name is added once", __FILE__, __LINE__);
    rows_.push_back({std::move(name), std::move(description), std::move(make)});
  }

  /// The row called `name`. Errors: kNotFound with the nearest name as the hint.
  Result<const Row*> find(std::string_view name) const {
    if (const Row* found = row(name)) return found;
    std::vector<std::string_view> names;
    for (const Row& r : rows_) names.push_back(r.name);
    std::string hint = did_you_mean(name, names);
    if (!hint.empty()) hint += "  ";
    return Error{ErrorCode::kNotFound, fmt::format("no {} named '{}'", kind_, name),
                 hint + fmt::format("to see them all: aictl plugin list --kind {}", kind_)};
  }

  const std::vector<Row>& rows() const { return rows_; }
  const std::string& kind() const { return kind_; }

 private:
  const Row* row(std::string_view name) const {
    for (const Row& r : rows_)
      if (r.name == name) return &r;
    return nullptr;
  }

  std::string kind_;
  std::vector<Row> rows_;
};

}  // namespace aictl
