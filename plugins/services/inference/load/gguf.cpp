#include "plugins/services/inference/load/gguf.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

#include "plugins/services/inference/load/gguf_parse.hpp"

namespace aictl::inference {
namespace {

constexpr int kMaxParts = 4096;

// "model-00002-of-00003.gguf" -> stem "model", part 2 of 3.
struct SplitName {
  std::string stem;
  int part = 0, count = 0;
};

std::optional<int> five_digits(std::string_view text) {
  int value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<SplitName> split_name(const std::string& filename) {
  constexpr std::string_view kShape = "-00001-of-00001.gguf";
  if (filename.size() <= kShape.size()) return std::nullopt;
  const size_t at = filename.size() - kShape.size();
  const std::string_view tail = std::string_view(filename).substr(at);
  if (tail[0] != '-' || tail.substr(6, 4) != "-of-" || tail.substr(15) != ".gguf")
    return std::nullopt;
  const auto part = five_digits(tail.substr(1, 5)), count = five_digits(tail.substr(10, 5));
  if (!part || !count || *part < 1 || *part > *count) return std::nullopt;
  return SplitName{filename.substr(0, at), *part, *count};
}

struct OpenPart {
  MappedFile map;
  Gguf file;
};

Result<OpenPart> open_part(const std::filesystem::path& path) {
  auto map = MappedFile::open(path);
  if (!map) return std::move(map).error();
  auto file = GgufParser(map->bytes(), path.string()).run();
  if (!file) return std::move(file).error();
  return OpenPart{std::move(*map), std::move(*file)};
}

// Elements of a checked array of strings, one after the other.
std::vector<std::string_view> string_elements(const GgufValue& array) {
  std::vector<std::string_view> out;
  out.reserve(array.count);
  const char* at = reinterpret_cast<const char*>(array.bytes.data());
  for (uint64_t i = 0; i < array.count; ++i) {
    uint64_t length;
    std::memcpy(&length, at, sizeof length);
    out.emplace_back(at + sizeof length, length);
    at += sizeof length + length;
  }
  return out;
}

GgufValue element_at(const GgufValue& array, uint64_t i) {
  const size_t size = width(array.element);
  return {.type = array.element, .bytes = array.bytes.subspan(i * size, size)};
}

}  // namespace

Result<Gguf> Gguf::parse(std::span<const std::byte> bytes, std::string_view place) {
  auto file = GgufParser(bytes, place).run();
  if (!file) return std::move(file).error();
  if (auto done = file->index(); !done) return std::move(done).error();
  return file;
}

Result<Gguf> Gguf::open(const std::filesystem::path& path) {
  const auto split = split_name(path.filename().string());
  const int parts = split ? split->count : 1;
  if (parts > kMaxParts)
    return Error{
        ErrorCode::kDataRefused,
        fmt::format("{} is one of {} parts, expected at most {}", path.string(), parts, kMaxParts),
        ""};
  std::optional<Gguf> whole;
  for (int i = 1; i <= parts; ++i) {
    const auto part_path =
        split ? path.parent_path() / fmt::format("{}-{:05}-of-{:05}.gguf", split->stem, i, parts)
              : path;
    auto part = open_part(part_path);
    if (!part) {
      Error error = std::move(part).error();
      if (split && error.code == ErrorCode::kNotFound)
        error.hint = fmt::format("the model has {} parts; they must lie in one folder", parts);
      return error;
    }
    part->file.maps_.push_back(std::move(part->map));
    if (auto done = part->file.index(); !done) return std::move(done).error();
    auto count = part->file.integer_or("split.count", 1, 0, kMaxParts);
    if (!count) return std::move(count).error();
    auto number = part->file.integer_or("split.no", i - 1, 0, kMaxParts);
    if (!number) return std::move(number).error();
    if (std::max<int64_t>(*count, 1) != parts || *number != i - 1)
      return Error{ErrorCode::kDataRefused,
                   fmt::format("{}: keys 'split.no' and 'split.count' say part {} of {}, expected "
                               "part {} of {} by its name",
                               part->file.place_, *number + 1, *count, i, parts),
                   parts == 1 ? "name the parts model-00001-of-0000N.gguf" : ""};
    if (!whole)
      whole = std::move(part->file);
    else if (auto done = whole->join(std::move(part->file)); !done)
      return std::move(done).error();
  }
  auto total = whole->integer_or("split.tensors.count",
                                 static_cast<int64_t>(whole->tensors_.size()), 0, INT32_MAX);
  if (!total) return std::move(total).error();
  if (parts > 1 && static_cast<uint64_t>(*total) != whole->tensors_.size())
    return Error{ErrorCode::kDataRefused,
                 fmt::format("{}: the parts hold {} tensors, key 'split.tensors.count' says {}",
                             whole->place_, whole->tensors_.size(), *total),
                 ""};
  return std::move(*whole);
}

Result<void> Gguf::join(Gguf part) {
  for (MappedFile& map : part.maps_) maps_.push_back(std::move(map));
  tensors_.insert(tensors_.end(), part.tensors_.begin(), part.tensors_.end());
  file_bytes_ += part.file_bytes_;
  return index();
}

Result<void> Gguf::index() {
  auto sorted = [](size_t n, auto name_of) {
    std::vector<uint32_t> order(n);
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(),
              [&](uint32_t a, uint32_t b) { return name_of(a) < name_of(b); });
    return order;
  };
  auto refuse_twin = [&](std::string_view kind, std::string_view name) -> Error {
    return {ErrorCode::kDataRefused,
            fmt::format("{}: {} {} occurs twice", place_, kind, quoted(name)), ""};
  };
  entry_order_ = sorted(entries_.size(), [&](uint32_t i) { return entries_[i].key; });
  for (size_t i = 1; i < entry_order_.size(); ++i)
    if (entries_[entry_order_[i]].key == entries_[entry_order_[i - 1]].key)
      return refuse_twin("key", entries_[entry_order_[i]].key);
  tensor_order_ = sorted(tensors_.size(), [&](uint32_t i) { return tensors_[i].name; });
  for (size_t i = 1; i < tensor_order_.size(); ++i)
    if (tensors_[tensor_order_[i]].name == tensors_[tensor_order_[i - 1]].name)
      return refuse_twin("tensor", tensors_[tensor_order_[i]].name);
  return {};
}

const GgufValue* Gguf::find(std::string_view key) const {
  const auto at =
      std::lower_bound(entry_order_.begin(), entry_order_.end(), key,
                       [&](uint32_t i, std::string_view k) { return entries_[i].key < k; });
  if (at == entry_order_.end() || entries_[*at].key != key) return nullptr;
  return &entries_[*at].value;
}

uint64_t Gguf::count(std::string_view key) const {
  const GgufValue* value = find(key);
  return value && value->type == GgufValueType::kArray ? value->count : 0;
}

const FileTensor* Gguf::tensor(std::string_view name) const {
  const auto at =
      std::lower_bound(tensor_order_.begin(), tensor_order_.end(), name,
                       [&](uint32_t i, std::string_view n) { return tensors_[i].name < n; });
  if (at == tensor_order_.end() || tensors_[*at].name != name) return nullptr;
  return &tensors_[*at];
}

Error Gguf::wrong(std::string_view key, const GgufValue& found, std::string_view expected) const {
  return {ErrorCode::kDataRefused,
          fmt::format("{}: key {}: found {}, expected {}", place_, quoted(key), found.describe(),
                      expected),
          ""};
}

Result<const GgufValue*> Gguf::require(std::string_view key) const {
  if (const GgufValue* value = find(key)) return value;
  return Error{ErrorCode::kDataRefused, fmt::format("{}: key {} is missing", place_, quoted(key)),
               ""};
}

Result<const GgufValue*> Gguf::require_array(std::string_view key) const {
  auto value = require(key);
  if (value && (*value)->type != GgufValueType::kArray) return wrong(key, **value, "an array");
  return value;
}

Result<int64_t> Gguf::integer(std::string_view key, int64_t low, int64_t high) const {
  auto value = require(key);
  if (!value) return std::move(value).error();
  const std::string expected = fmt::format("an integer in {}..{}", low, high);
  std::optional<int64_t> found = (*value)->as_integer();
  if ((*value)->type == GgufValueType::kArray && width((*value)->element) > 0 &&
      (*value)->count > 0) {
    found = element_at(**value, 0).as_integer();
    for (uint64_t i = 1; found && i < (*value)->count; ++i)
      if (element_at(**value, i).as_integer() != found)
        return Error{ErrorCode::kUnsupported,
                     fmt::format("{}: key {} differs from layer to layer", place_, quoted(key)),
                     "models with layers of different shape are not supported yet"};
  }
  if (!found || *found < low || *found > high) return wrong(key, **value, expected);
  return *found;
}

Result<double> Gguf::number(std::string_view key) const {
  auto value = require(key);
  if (!value) return std::move(value).error();
  const auto found = (*value)->as_number();
  if (!found || !std::isfinite(*found)) return wrong(key, **value, "a finite number");
  return *found;
}

Result<bool> Gguf::boolean(std::string_view key) const {
  auto value = require(key);
  if (!value) return std::move(value).error();
  const auto found = (*value)->as_boolean();
  if (!found) return wrong(key, **value, "a bool");
  return *found;
}

Result<std::string_view> Gguf::text(std::string_view key) const {
  auto value = require(key);
  if (!value) return std::move(value).error();
  const auto found = (*value)->as_text();
  if (!found) return wrong(key, **value, "a string");
  return *found;
}

Result<std::vector<std::string_view>> Gguf::texts(std::string_view key) const {
  auto value = require_array(key);
  if (!value) return std::move(value).error();
  if ((*value)->element != GgufValueType::kString)
    return wrong(key, **value, "an array of strings");
  return string_elements(**value);
}

Result<std::vector<float>> Gguf::numbers(std::string_view key) const {
  auto value = require_array(key);
  if (!value) return std::move(value).error();
  const bool numeric = width((*value)->element) > 0 && (*value)->element != GgufValueType::kBool;
  if (!numeric) return wrong(key, **value, "an array of numbers");
  std::vector<float> out;
  out.reserve((*value)->count);
  for (uint64_t i = 0; i < (*value)->count; ++i)
    out.push_back(static_cast<float>(element_at(**value, i).as_number().value_or(0)));
  return out;
}

Result<std::vector<int64_t>> Gguf::integers(std::string_view key) const {
  auto value = require_array(key);
  if (!value) return std::move(value).error();
  std::vector<int64_t> out;
  if (width((*value)->element) == 0) return wrong(key, **value, "an array of integers");
  out.reserve((*value)->count);
  for (uint64_t i = 0; i < (*value)->count; ++i) {
    const auto element = element_at(**value, i).as_integer();
    if (!element) return wrong(key, **value, "an array of integers");
    out.push_back(*element);
  }
  return out;
}

}  // namespace aictl::inference
