// How a row reads a value: from the text of a flag or variable, from a value of the config file,
// and the checks that both share.
#include "core/config/schema.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "core/base/nearest.hpp"
#include "core/base/units.hpp"

namespace aictl {
namespace {

Error invalid(std::string message, std::string hint = "") {
  return {ErrorCode::kInvalidArgument, std::move(message), std::move(hint)};
}

template <typename T>
bool read_number(std::string_view text, T& out) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, out);
  return status == std::errc() && stop == end;
}

std::optional<bool> read_bool(std::string_view text) {
  for (const std::string_view word : {"true", "1", "yes", "on"})
    if (text == word) return true;
  for (const std::string_view word : {"false", "0", "no", "off"})
    if (text == word) return false;
  return std::nullopt;
}

std::string number_text(double value) {
  return value == std::floor(value) && std::fabs(value) < 1e15 ? fmt::format("{:.0f}", value)
                                                               : fmt::format("{}", value);
}

std::string value_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : dump_json(value);
}

// Adds the items of "a,b,c" to `list`. An empty text has none; an empty item is a slip.
Result<void> add_items(std::string_view name, std::string_view text, Json& list) {
  if (text.empty()) return {};
  const std::string_view whole = text;
  for (size_t nth = 1;; ++nth) {
    const size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    if (item.empty())
      return invalid(fmt::format("{}: item {} of '{}' is empty", name, nth, whole),
                     "commas stand between items");
    list.push_back(std::string(item));
    if (comma == text.npos) return {};
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

// A checked value has the JSON type that store_ takes: durations in nanoseconds, sizes in bytes.
Result<Json> Row::from_text(std::string_view text) const {
  switch (kind_) {
    case FieldKind::kBool:
      if (const auto value = read_bool(text)) return Json(*value);
      return invalid(fmt::format("{} '{}' is neither true nor false", name_, text));
    case FieldKind::kInteger: {
      int64_t value = 0;
      if (spelled_ && text == spelled_->first) return Json(spelled_->second);
      if (read_number(text, value)) return Json(value);
      return invalid(fmt::format("{} '{}' is not a whole number", name_, text));
    }
    case FieldKind::kReal: {
      double value = 0;
      if (read_number(text, value) && std::isfinite(value)) return Json(value);
      return invalid(fmt::format("{} '{}' is not a number", name_, text));
    }
    case FieldKind::kDuration: {
      auto value = parse_duration(text);
      if (!value) return std::move(value).error().within(name_);
      return Json(static_cast<int64_t>(value->count()));
    }
    case FieldKind::kBytes: {
      auto value = parse_bytes(text);
      if (!value) return std::move(value).error().within(name_);
      return Json(*value);
    }
    case FieldKind::kList: {
      Json list = Json::array();
      if (auto ok = add_items(name_, text, list); !ok) return std::move(ok).error();
      return from_json(list);
    }
    case FieldKind::kText:
    case FieldKind::kChoice:
      return Json(std::string(text));
  }
  return invalid(name_);
}

Result<Json> Row::from_json(const Json& value) const {
  const auto expected = [&](std::string_view what, std::string hint = "") {
    return invalid(fmt::format("{} {} is not {}", name_, value_text(value), what), std::move(hint));
  };
  switch (kind_) {
    case FieldKind::kBool:
      return value.is_boolean() ? Result<Json>(value) : expected("true or false");
    case FieldKind::kInteger:
      if (spelled_ && value == spelled_->first) return Json(spelled_->second);
      return value.is_number_integer() ? Result<Json>(value) : expected("a whole number");
    case FieldKind::kReal:
      return value.is_number() ? Result<Json>(value.get<double>()) : expected("a number");
    case FieldKind::kBytes:
      if (value.is_number_integer() && value >= 0) return Json(value.get<uint64_t>());
      [[fallthrough]];
    case FieldKind::kDuration:
      if (value.is_string()) return from_text(value.get_ref<const std::string&>());
      return expected(kind_ == FieldKind::kBytes ? "a size" : "a duration",
                      "write it with its unit");
    case FieldKind::kText:
    case FieldKind::kChoice:
      return value.is_string() ? Result<Json>(value) : expected("text", "put it in quotes");
    case FieldKind::kList:
      break;
  }
  if (!value.is_array()) return expected("a list", "write [one, two]");
  Json list = Json::array();
  for (const Json& item : value) {
    int32_t number = 0;
    if (!integers_ && item.is_string())
      list.push_back(item);
    else if (integers_ && read_number(value_text(item), number))
      list.push_back(number);
    else
      return invalid(fmt::format("{}: '{}' is not {}", name_, value_text(item),
                                 integers_ ? "a whole number of 32 bits" : "text"));
  }
  return list;
}

Result<void> Row::check_word(const Json& value) const {
  if (choices_.empty()) return {};
  const std::string& word = value.get_ref<const std::string&>();
  if (std::find(choices_.begin(), choices_.end(), word) != choices_.end()) return {};
  const std::vector<std::string_view> words(choices_.begin(), choices_.end());
  return invalid(fmt::format("{} '{}' is not one of {}", name_, word, fmt::join(words, ", ")),
                 did_you_mean(word, words));
}

Result<void> Row::check(const Json& value) const {
  if (value.is_string()) return check_word(value);
  if (value.is_array()) {
    for (const Json& item : value)
      if (auto ok = item.is_string() ? check_word(item) : Result<void>(); !ok) return ok;
    return {};
  }
  if (!range_ || kind_ == FieldKind::kDuration || !value.is_number()) return {};
  const auto [low, high] = *range_;
  const double number = value.get<double>();
  if (number >= low && number <= high) return {};
  return invalid(fmt::format("{} {} is not in {}..{}", name_, number_text(number), number_text(low),
                             number_text(high)));
}

Result<void> Row::keep(Result<Json> value, Origin origin, std::string place) {
  if (!value) return std::move(value).error();
  if (auto ok = check(*value); !ok) return ok;
  store_(*value);
  origin_ = origin;
  place_ = std::move(place);
  return {};
}

Result<void> Row::set_text(std::string_view text, Origin origin, std::string place) {
  return keep(from_text(text), origin, std::move(place));
}

Result<void> Row::set_json(const Json& value, Origin origin, std::string place) {
  auto ok = keep(from_json(value), origin, std::move(place));
  if (ok) return ok;
  Error error = std::move(ok).error();
  error.code = ErrorCode::kDataRefused;
  return error;
}

Result<void> Row::set_items(const std::vector<std::string>& items, bool split, Origin origin,
                            std::string place) {
  Json list = Json::array();
  for (const std::string& item : items) {
    if (verbatim_ || !split)
      list.push_back(item);
    else if (auto ok = add_items(name_, item, list); !ok)
      return ok;
  }
  return keep(from_json(list), origin, std::move(place));
}

}  // namespace aictl
