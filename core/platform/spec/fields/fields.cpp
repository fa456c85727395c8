#include "core/platform/spec/fields/fields.hpp"

namespace aictl::platform {

Field& Fields::add(Row row) {
  Field& made = fields_.emplace_back();
  made.name = row.name();
  made.help = row.help();
  made.row = std::move(row);
  return made;
}

Field& Fields::tree(std::string name, std::map<std::string, Json>* trees, std::string help) {
  Field& made = fields_.emplace_back();
  made.name = std::move(name);
  made.kind = Field::Kind::kTree;
  made.help = std::move(help);
  made.trees = trees;
  return made;
}

Field* Fields::find(std::string_view name) {
  for (Field& field : fields_)
    if (field.name == name) return &field;
  return nullptr;
}

}  // namespace aictl::platform
