#include "core/manifest/cel/value.hpp"

#include <fmt/format.h>

namespace aictl::cel {

Value value_of(const Json& tree) {
  switch (tree.type()) {
    case Json::value_t::boolean:
      return Value::boolean_of(tree.get<bool>());
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return Value::integer_of(tree.get<int64_t>());
    case Json::value_t::number_float:
      return Value::real_of(tree.get<double>());
    case Json::value_t::string:
      return Value::text_of(tree.get_ref<const std::string&>());
    case Json::value_t::array:
    case Json::value_t::object: {
      Value made;
      made.type = tree.is_array() ? Type::kList : Type::kMap;
      made.tree = &tree;
      return made;
    }
    default:
      return {};
  }
}

size_t size_of(const Value& collection) {
  if (collection.tree != nullptr) return collection.tree->size();
  const size_t stored = collection.items == nullptr ? 0 : collection.items->size();
  return collection.is(Type::kMap) ? stored / 2 : stored;
}

Value item_of(const Value& collection, size_t index) {
  if (collection.is(Type::kList))
    return collection.tree != nullptr ? value_of((*collection.tree)[index])
                                      : (*collection.items)[index];
  if (collection.tree != nullptr)
    return Value::text_of(std::next(collection.tree->begin(), static_cast<long>(index)).key());
  return (*collection.items)[index * 2];
}

Value entry_of(const Value& map, const Value& key, Store& store, bool& found) {
  found = false;
  if (map.tree != nullptr && key.is(Type::kString)) {
    const auto entry = map.tree->find(std::string(key.text));
    found = entry != map.tree->end();
    if (found) return value_of(*entry);
  } else if (map.items != nullptr) {
    for (size_t i = 0; i < map.items->size(); i += 2)
      if (equal((*map.items)[i], key)) {
        found = true;
        return (*map.items)[i + 1];
      }
  }
  return store.error(key.is(Type::kString) ? fmt::format("no such key: {}", key.text)
                                           : std::string("no such key"));
}

namespace {

bool equal_lists(const Value& left, const Value& right) {
  if (size_of(left) != size_of(right)) return false;
  for (size_t i = 0; i < size_of(left); ++i)
    if (!equal(item_of(left, i), item_of(right, i))) return false;
  return true;
}

bool equal_maps(const Value& left, const Value& right) {
  if (size_of(left) != size_of(right)) return false;
  Store scratch;
  for (size_t i = 0; i < size_of(left); ++i) {
    const Value key = item_of(left, i);
    bool here = false, there = false;
    const Value mine = entry_of(left, key, scratch, here);
    const Value theirs = entry_of(right, key, scratch, there);
    if (!there || !equal(mine, theirs)) return false;
  }
  return true;
}

}  // namespace

bool equal(const Value& left, const Value& right) {
  if (left.is_number() && right.is_number())
    return left.is(Type::kInt) && right.is(Type::kInt) ? left.integer == right.integer
                                                       : left.number() == right.number();
  if (left.type != right.type) return false;
  switch (left.type) {
    case Type::kNull:
      return true;
    case Type::kBool:
      return left.boolean == right.boolean;
    case Type::kString:
      return left.text == right.text;
    case Type::kDuration:
      return left.integer == right.integer;
    case Type::kList:
      return equal_lists(left, right);
    case Type::kMap:
      return equal_maps(left, right);
    default:
      return false;
  }
}

std::string_view type_name(Type type) {
  switch (type) {
    case Type::kError:
      return "error";
    case Type::kNull:
      return "null_type";
    case Type::kBool:
      return "bool";
    case Type::kInt:
      return "int";
    case Type::kDouble:
      return "double";
    case Type::kString:
      return "string";
    case Type::kDuration:
      return "google.protobuf.Duration";
    case Type::kList:
      return "list";
    case Type::kMap:
      return "map";
  }
  return "";
}

}  // namespace aictl::cel
