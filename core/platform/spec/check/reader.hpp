// Reads a tree by its Fields and collects what is wrong with it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/platform/spec/fields/fields.hpp"
#include "core/platform/spec/read.hpp"

namespace aictl::platform {

/// A place in a spec: as a JSON pointer, and as people write it.
struct Spot {
  std::string pointer, path;

  Spot field(std::string_view name) const;
  Spot item(size_t index) const;
};

/// Collects mistakes. At most kMost are kept: one more slip in a generated file must not become
/// thousands of lines.
class Mistakes {
 public:
  static constexpr size_t kMost = 100;

  explicit Mistakes(const std::map<std::string, SourcePlace>& places) : places_(places) {}

  /// `message` and `hint` are cut where they are long, and made fit for a terminal.
  void add(const Spot& spot, std::string_view rule, std::string_view message,
           std::string_view hint = "");
  bool full() const { return mistakes_.size() >= kMost; }
  bool empty() const { return mistakes_.empty(); }
  /// In the order of the file.
  std::vector<Mistake> sorted() &&;

 private:
  const std::map<std::string, SourcePlace>& places_;  // outlive this
  std::vector<Mistake> mistakes_;
};

/// Reads `tree` into what `fields` are bound to.
void read_fields(Fields& fields, const Json& tree, const Spot& spot, Mistakes& mistakes);

/// Reads a mapping by rows alone: the knobs of a target.
void read_rows(std::vector<Row>& rows, const Json& tree, const Spot& spot, Mistakes& mistakes);

}  // namespace aictl::platform
