// Trace: of every byte that templates gave, the variable it came from. A template is rendered once
// more for each bit of a number that its variables are given; the engine tells of each byte whether
// it came from a marked variable, and so the bits of its number.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/template/template.hpp"
#include "core/value/json.hpp"
#include "core/value/yaml.hpp"

namespace aictl::platform {

/// Bytes up to `end` (from the previous mark's) came from variable `id`: 0 is the template itself.
struct Mark {
  size_t end;
  uint32_t id;
};

/// Of one thread; lives while a platform is generated.
class Trace {
 public:
  /// What templates call `name` ("/w") is `pointer` ("/workloads/2") among all variables.
  void alias(const std::string& name, const std::string& pointer) { aliases_[name] = pointer; }

  /// Which variables the text that `parsed` gives with `variables` came from. Errors: as rendering.
  Result<std::vector<Mark>> marks_of(const jinja::Template& parsed, const Json& variables);
  /// The text they are of becomes a variable itself, by that pointer; what in it is no variable's
  /// is of the template `source`, which stands among variables as "=templates/shared/pod.yaml.j2".
  void keep(const std::string& pointer, std::vector<Mark> marks, const std::string& source);

  /// Of each field of `document`, read from `text` which `marks` cover from byte `begin` on: the
  /// variables it came from, by its JSON pointer. "" among them is the template's own words.
  std::map<std::string, std::vector<std::string>> fields(std::string_view text, size_t begin,
                                                         int first_line,
                                                         const YamlDocument& document,
                                                         const std::vector<Mark>& marks) const;

 private:
  struct Leaf {
    const Json* value;
    uint32_t id;
    const std::vector<Mark>* marks;  // of a text that templates gave; nullptr: all is `id`
  };
  uint32_t id_of(const std::string& name);
  void collect(const Json& value, const std::string& pointer, std::vector<Leaf>& leaves);
  std::string resolved(const std::string& pointer) const;

  std::vector<std::string> names_{""};  // by id
  std::map<std::string, uint32_t> ids_{{"", 0}};
  std::map<std::string, std::string> aliases_;
  std::map<std::string, std::vector<Mark>> kept_;
};

}  // namespace aictl::platform
