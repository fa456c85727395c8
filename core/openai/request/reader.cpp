#include "core/openai/request/reader.hpp"

#include <limits>

#include <fmt/format.h>

namespace aictl::openai {
namespace {

// A JSON whole number as int64; nullopt for anything else and for what does not fit.
std::optional<int64_t> as_int64(const Json& value) {
  if (value.is_number_unsigned()) {
    const uint64_t number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
    return static_cast<int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  return std::nullopt;
}

}  // namespace

std::string shown(const Json& value) {
  if (value.is_structured()) return value.is_array() ? "[...]" : "{...}";
  std::string text = value.is_string() && value.get_ref<const std::string&>().size() > 400
                         ? dump_json(value.get_ref<const std::string&>().substr(0, 40))
                         : dump_json(value);
  if (text.size() > 40) text = dump_json(Json(text.substr(0, 37))).substr(1);
  return text;
}

std::optional<int32_t> token_id(const Json& value) {
  const std::optional<int64_t> id = as_int64(value);
  if (!id || *id < 0 || *id > std::numeric_limits<int32_t>::max()) return std::nullopt;
  return static_cast<int32_t>(*id);
}

void Reader::fail(ApiError error) {
  if (!error_) error_ = std::move(error);
}

void Reader::refuse(std::string_view name, std::string message) {
  fail(invalid_value(path(name), std::move(message)));
}

void Reader::wrong_type(std::string_view name, const Json& value, std::string_view wanted) {
  refuse(name, fmt::format("{} is {}, but must be {}", path(name), shown(value), wanted));
}

const Json* Reader::any(std::string_view name) {
  return failed() ? nullptr : present(object_, name);
}

const Json* Reader::object(std::string_view name) {
  const Json* value = any(name);
  if (value == nullptr || value->is_object()) return value;
  wrong_type(name, *value, "an object");
  return nullptr;
}

const Json* Reader::array(std::string_view name) {
  const Json* value = any(name);
  if (value == nullptr || value->is_array()) return value;
  wrong_type(name, *value, "an array");
  return nullptr;
}

void Reader::boolean(std::string_view name, bool& out) {
  const Json* value = any(name);
  if (value == nullptr) return;
  if (!value->is_boolean()) return wrong_type(name, *value, "true or false");
  out = value->get<bool>();
}

std::optional<int64_t> Reader::whole(std::string_view name, int64_t min, int64_t max) {
  const Json* value = any(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number_integer()) return wrong_type(name, *value, "a whole number"), std::nullopt;
  const std::optional<int64_t> number = as_int64(*value);
  if (number && *number >= min && *number <= max) return number;
  if (max >= std::numeric_limits<int32_t>::max())
    refuse(name, number && *number < min
                     ? fmt::format("{} {} is below {}", path(name), shown(*value), min)
                     : fmt::format("{} {} is above {}", path(name), shown(*value), max));
  else
    refuse(name, fmt::format("{} {} is not in {}..{}", path(name), shown(*value), min, max));
  return std::nullopt;
}

void Reader::integer(std::string_view name, int& out, int64_t min, int64_t max) {
  if (const auto number = whole(name, min, max)) out = static_cast<int>(*number);
}

void Reader::integer(std::string_view name, std::optional<int>& out, int64_t min, int64_t max) {
  if (const auto number = whole(name, min, max)) out = static_cast<int>(*number);
}

void Reader::integer(std::string_view name, int64_t& out, int64_t min, int64_t max) {
  if (const auto number = whole(name, min, max)) out = *number;
}

void Reader::number(std::string_view name, float& out, double min, double max) {
  const Json* value = any(name);
  if (value == nullptr) return;
  if (!value->is_number()) return wrong_type(name, *value, "a number");
  const double number = value->get<double>();
  // Written so that a NaN would be refused too.
  if (number >= min && number <= max) {
    out = static_cast<float>(number);
    return;
  }
  refuse(name, fmt::format("{} {} is not in {}..{}", path(name), shown(*value), min, max));
}

void Reader::text(std::string_view name, std::string& out) {
  const Json* value = any(name);
  if (value == nullptr) return;
  if (!value->is_string()) return wrong_type(name, *value, "a string");
  out = value->get<std::string>();
}

void Reader::texts(std::string_view name, std::vector<std::string>& out, size_t limit,
                   bool one_allowed) {
  const Json* value = any(name);
  if (value == nullptr) return;
  std::vector<std::string> found;
  if (value->is_string() && one_allowed) {
    found.push_back(value->get<std::string>());
  } else if (!value->is_array()) {
    return wrong_type(name, *value,
                      one_allowed ? "a string or an array of strings" : "an array of strings");
  } else {
    if (value->size() > limit)
      return refuse(name, fmt::format("{} has {} entries, but at most {} are taken", path(name),
                                      value->size(), limit));
    for (const Json& entry : *value) {
      if (!entry.is_string())
        return wrong_type(fmt::format("{}[{}]", name, found.size()), entry, "a string");
      found.push_back(entry.get<std::string>());
    }
  }
  for (const std::string& entry : found)
    if (entry.empty()) return refuse(name, fmt::format("{} holds an empty string", path(name)));
  out = std::move(found);
}

void Reader::ids(std::string_view name, std::vector<int32_t>& out, size_t limit) {
  const Json* value = array(name);
  if (value == nullptr) return;
  if (value->size() > limit)
    return refuse(name, fmt::format("{} has {} entries, but at most {} are taken", path(name),
                                    value->size(), limit));
  std::vector<int32_t> found;
  found.reserve(value->size());
  for (const Json& entry : *value) {
    const std::optional<int32_t> id = token_id(entry);
    if (!id) return wrong_type(fmt::format("{}[{}]", name, found.size()), entry, "a token id");
    found.push_back(*id);
  }
  out = std::move(found);
}

}  // namespace aictl::openai
