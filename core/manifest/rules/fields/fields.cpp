#include "core/manifest/rules/fields/fields.hpp"

#include <set>

#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

bool is_empty(const Json* value) {
  if (value == nullptr || value->is_null()) return true;
  if (value->is_string()) return value->get_ref<const std::string&>().empty();
  return value->is_structured() && value->empty();
}

class FieldWalk {
 public:
  FieldWalk(const Document& document, std::string path, Report& report)
      : document_(document), report_(report), path_(std::move(path)) {}

  void row(const Json& value, const FieldRow& row) {
    row_ = &row;
    below(value, row.path);
  }

 private:
  void below(const Json& value, std::string_view rest) {
    const size_t dot = rest.find('.');
    std::string_view step = rest.substr(0, dot);
    const bool each = step.ends_with("[]");
    if (each) step.remove_suffix(2);
    const Json* found = member(value, step);
    const bool last = dot == rest.npos;
    if (found == nullptr && (each || !last || !value.is_object())) return;
    const size_t size = path_.size();
    if (size != 0) path_ += '.';
    path_ += step;
    if (!each)
      last ? check(found) : below(*found, rest.substr(dot + 1));
    else if (found->is_array())
      items(*found, last ? std::string_view() : rest.substr(dot + 1));
    path_.resize(size);
  }

  void items(const Json& list, std::string_view rest) {
    const size_t size = path_.size();
    for (size_t i = 0; i < list.size(); ++i) {
      path_ += fmt::format("[{}]", i);
      rest.empty() ? check(&list[i]) : below(list[i], rest);
      path_.resize(size);
    }
  }

  void check(const Json* value) {
    if (is_empty(value)) {
      if (row_->need == Need::kRequired)
        refuse(report_, document_, path_, "server/required",
               value == nullptr ? "required field is missing" : "required field is empty");
      const bool checked = row_->need == Need::kGiven && value != nullptr && value->is_string();
      if (!checked) return;
    }
    if (row_->shape == nullptr) return;
    std::string wrong = row_->shape(*value, row_->argument);
    if (!wrong.empty()) refuse(report_, document_, path_, row_->rule, std::move(wrong));
  }

  const Document& document_;
  Report& report_;
  std::string path_;
  const FieldRow* row_ = nullptr;
};

}  // namespace

void check_fields(const Document& document, const std::string& path, const Json& value,
                  std::span<const FieldRow> rows, Report& report) {
  FieldWalk walk(document, path, report);
  for (const FieldRow& row : rows) walk.row(value, row);
}

void check_unique(const Document& document, const std::string& path, const Json& value,
                  std::string_view list, std::string_view key, Report& report) {
  const Json* found = member(value, list);
  if (found == nullptr || !found->is_array()) return;
  std::set<std::string_view> seen;
  for (size_t i = 0; i < found->size(); ++i) {
    const Json* item = key.empty() ? &(*found)[i] : member((*found)[i], key);
    if (item == nullptr || !item->is_string() || item->get_ref<const std::string&>().empty())
      continue;
    const std::string& name = item->get_ref<const std::string&>();
    if (seen.insert(name).second) continue;
    const std::string place = fmt::format("{}[{}]", join(path, list), i);
    refuse(report, document, key.empty() ? place : join(place, key), "server/duplicate",
           fmt::format("'{}' is used twice", name));
  }
}

}  // namespace aictl::manifest
