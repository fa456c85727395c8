#include "core/value/json.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace aictl {
namespace {

struct Place {
  size_t line = 1, column = 1;
};

Place place_of(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  Place place;
  place.line = 1 + static_cast<size_t>(std::count(before.begin(), before.end(), '\n'));
  const size_t line_start = before.rfind('\n');
  place.column = 1 + before.size() - (line_start == before.npos ? 0 : line_start + 1);
  return place;
}

// Builds the tree from the parser's events. The library's own tree builder has no depth limit and
// keeps the last of two equal keys; this one refuses both. Containers on the path are held by
// pointer: a container is not moved while it is open, because only the innermost one grows.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  Builder(std::string_view text, size_t max_depth) : text_(text), max_depth_(max_depth) {}

  bool null() override { return put(nullptr) != nullptr; }
  bool boolean(bool value) override { return put(value) != nullptr; }
  bool number_integer(number_integer_t value) override { return put(value) != nullptr; }
  bool number_unsigned(number_unsigned_t value) override { return put(value) != nullptr; }
  bool number_float(number_float_t value, const string_t&) override {
    return put(value) != nullptr;
  }
  bool string(string_t& value) override { return put(std::move(value)) != nullptr; }
  bool binary(binary_t&) override { return false; }

  bool start_object(size_t) override { return open(Json::object()); }
  bool end_object() override { return close(); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    Json& object = *open_.back();
    // ordered_json looks keys up one by one, so the number of keys is bounded to keep hostile input
    // from costing quadratic time.
    if (object.size() >= kMaxKeys) return fail_too_many_keys();
    if (object.contains(name)) return fail(fmt::format("duplicate key \"{}\"", name));
    key_ = std::move(name);
    return true;
  }

  bool parse_error(size_t offset, const std::string&,
                   const nlohmann::detail::exception& e) override {
    if (error_) return false;
    const std::string_view what = e.what();
    // The library's text reads "[json.exception.parse_error.101] parse error at line L, column C:
    // <why>".
    const size_t colon = what.find(": ");
    const Place place = place_of(text_, offset == 0 ? 0 : offset - 1);
    error_ = Error{ErrorCode::kDataRefused,
                   fmt::format("line {}, column {}: {}", place.line, place.column,
                               colon == what.npos ? what : what.substr(colon + 2)),
                   ""};
    return false;
  }

  bool fail(std::string why) {
    error_ = Error{ErrorCode::kDataRefused, std::move(why), ""};
    return false;
  }

  bool fail_too_many_keys() {
    const std::string& name = names_.back();
    error_ = Error{
        ErrorCode::kTooLarge,
        fmt::format("{} has more than {} keys", name.empty() ? "an object" : name, kMaxKeys), ""};
    return false;
  }

  Json root;
  std::optional<Error> error_;

 private:
  static constexpr size_t kMaxKeys = 4096;

  template <typename T>
  Json* put(T&& value) {
    if (open_.empty()) return &(root = Json(std::forward<T>(value)));
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(Json(std::forward<T>(value)));
      return &parent.back();
    }
    return &(parent[std::move(key_)] = Json(std::forward<T>(value)));
  }

  bool open(Json container) {
    if (open_.size() >= max_depth_)
      return fail(fmt::format("nested deeper than {} levels", max_depth_));
    names_.push_back(key_);
    open_.push_back(put(std::move(container)));
    key_.clear();
    return true;
  }

  bool close() {
    open_.pop_back();
    names_.pop_back();
    return true;
  }

  std::string_view text_;
  size_t max_depth_;
  std::string key_;
  std::vector<Json*> open_;
  std::vector<std::string> names_;  // the keys they stand under; empty in arrays
};

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  Builder builder(text, limits.max_depth);
  const bool parsed = Json::sax_parse(text.begin(), text.end(), &builder);
  if (builder.error_) return std::move(*builder.error_);
  if (!parsed) return Error{ErrorCode::kDataRefused, "not JSON", ""};
  return std::move(builder.root);
}

std::string dump_json(const Json& tree, int indent) {
  return tree.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace aictl
