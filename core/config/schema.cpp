#include "core/config/schema.hpp"

#include <algorithm>
#include <cctype>
#include <limits>

#include <fmt/format.h>

namespace aictl {
namespace {

using std::chrono::nanoseconds;

Json duration_json(nanoseconds duration) { return exact_duration(duration); }

std::string with_underscores(std::string_view text) {
  std::string out(text);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

}  // namespace

std::string_view origin_name(Origin origin) {
  constexpr std::string_view kNames[] = {"default", "file", "environment", "flag"};
  return kNames[static_cast<size_t>(origin)];
}

std::string exact_duration(nanoseconds duration) {
  struct Unit {
    int64_t scale;
    std::string_view name;
  };
  constexpr Unit kUnits[] = {{86400'000'000'000, "d"}, {3600'000'000'000, "h"},
                             {60'000'000'000, "m"},    {1'000'000'000, "s"},
                             {1'000'000, "ms"},        {1'000, "us"}};
  const int64_t count = duration.count();
  if (count == 0) return "0s";
  for (const Unit& unit : kUnits)
    if (count % unit.scale == 0) return fmt::format("{}{}", count / unit.scale, unit.name);
  return fmt::format("{}ns", count);
}

std::string exact_bytes(uint64_t bytes) {
  constexpr std::string_view kNames[] = {"Ti", "Gi", "Mi", "Ki"};
  for (size_t i = 0; i < std::size(kNames); ++i) {
    const uint64_t scale = uint64_t{1} << (40 - 10 * i);
    if (bytes != 0 && bytes % scale == 0) return fmt::format("{}{}", bytes / scale, kNames[i]);
  }
  return std::to_string(bytes);
}

// Binds a field whose JSON is its plain value.
template <typename T>
void Row::bind(T* field) {
  load_ = [field] { return Json(*field); };
  store_ = [field](const Json& value) { *field = value.get<T>(); };
  default_ = load_();
}

Row::Row(std::string name, bool* field, std::string help)
    : Row(std::move(name), FieldKind::kBool, std::move(help)) {
  bind(field);
}

Row::Row(std::string name, int* field, std::string help)
    : Row(std::move(name), FieldKind::kInteger, std::move(help)) {
  bind(field);
  range_ = {std::numeric_limits<int>::min(), std::numeric_limits<int>::max()};
}

Row::Row(std::string name, int64_t* field, std::string help)
    : Row(std::move(name), FieldKind::kInteger, std::move(help)) {
  bind(field);
}

Row::Row(std::string name, float* field, std::string help)
    : Row(std::move(name), FieldKind::kReal, std::move(help)) {
  bind(field);
  // The shortest text of the float, not of the double next to it: 0.9 and not 0.8999999762.
  load_ = [field] { return Json(std::stod(fmt::format("{}", *field))); };
  default_ = load_();
  constexpr double kMost = std::numeric_limits<float>::max();
  range_ = {-kMost, kMost};
}

Row::Row(std::string name, double* field, std::string help)
    : Row(std::move(name), FieldKind::kReal, std::move(help)) {
  bind(field);
}

Row::Row(std::string name, std::string* field, std::string help)
    : Row(std::move(name), FieldKind::kText, std::move(help)) {
  bind(field);
}

Row::Row(std::string name, std::vector<std::string>* field, std::string help)
    : Row(std::move(name), FieldKind::kList, std::move(help)) {
  bind(field);
}

Row::Row(std::string name, std::vector<int32_t>* field, std::string help)
    : Row(std::move(name), FieldKind::kList, std::move(help)) {
  bind(field);
  integers_ = true;
}

Row::Row(std::string name, nanoseconds* field, std::string help)
    : Row(std::move(name), FieldKind::kDuration, std::move(help)) {
  load_ = [field] { return duration_json(*field); };
  store_ = [field](const Json& ns) { *field = nanoseconds(ns.get<int64_t>()); };
  default_ = load_();
}

Row::Row(std::string name, std::chrono::milliseconds* field, std::string help)
    : Row(std::move(name), FieldKind::kDuration, std::move(help)) {
  load_ = [field] { return duration_json(*field); };
  store_ = [field](const Json& ns) {
    *field = std::chrono::ceil<std::chrono::milliseconds>(nanoseconds(ns.get<int64_t>()));
  };
  default_ = load_();
}

Row::Row(std::string name, std::chrono::seconds* field, std::string help)
    : Row(std::move(name), FieldKind::kDuration, std::move(help)) {
  load_ = [field] { return duration_json(*field); };
  store_ = [field](const Json& ns) {
    *field = std::chrono::ceil<std::chrono::seconds>(nanoseconds(ns.get<int64_t>()));
  };
  default_ = load_();
}

Row::Row(std::string name, uint64_t* field, std::string help)
    : Row(std::move(name), FieldKind::kBytes, std::move(help)) {
  load_ = [field] { return Json(exact_bytes(*field)); };
  store_ = [field](const Json& value) { *field = value.get<uint64_t>(); };
  default_ = load_();
}

Row Row::range(double low, double high) && {
  range_ = {low, high};
  return std::move(*this);
}
Row Row::choices(std::vector<std::string> words) && {
  choices_ = std::move(words);
  return std::move(*this);
}
Row Row::suggest(std::vector<std::string> words) && {
  suggestions_ = std::move(words);
  return std::move(*this);
}
Row Row::initially(const Json& value) && {
  store_(value);
  default_ = value;
  return std::move(*this);
}
Row Row::spelled(std::string word, int64_t value) && {
  suggestions_ = {word};
  spelled_ = {std::move(word), value};
  return std::move(*this);
}
Row Row::letter(char short_name) && {
  letter_ = short_name;
  return std::move(*this);
}
Row Row::value(std::string placeholder) && {
  placeholder_ = std::move(placeholder);
  return std::move(*this);
}
Row Row::file() && {
  completion_ = Completion::kFile;
  return std::move(*this);
}
Row Row::folder() && {
  completion_ = Completion::kFolder;
  return std::move(*this);
}
Row Row::secret() && {
  secret_ = true;
  return std::move(*this);
}
Row Row::flag_only() && {
  flag_only_ = true;
  return std::move(*this);
}
Row Row::verbatim() && {
  verbatim_ = true;
  return std::move(*this);
}

std::string Row::placeholder() const {
  if (!placeholder_.empty()) return placeholder_;
  if (completion_ == Completion::kFile) return "FILE";
  if (completion_ == Completion::kFolder) return "DIR";
  switch (kind_) {
    case FieldKind::kBool:
      return "";
    case FieldKind::kInteger:
      return "N";
    case FieldKind::kReal:
      return "X";
    case FieldKind::kList:
      return "LIST";
    case FieldKind::kDuration:
      return "DURATION";
    case FieldKind::kBytes:
      return "SIZE";
    case FieldKind::kText:
    case FieldKind::kChoice:
      return choices_.empty() ? "TEXT" : "WORD";
  }
  return "";
}

std::string Row::flag() const { return secret_ ? "" : "--" + name_; }

std::string Row::variable() const {
  if (section_.empty() || flag_only_) return "";
  std::string out = with_underscores(fmt::format("aictl_{}_{}", section_, name_));
  for (char& c : out)
    c = c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::string Row::key() const {
  return section_.empty() || flag_only_ ? "" : with_underscores(section_ + "." + name_);
}

Schema::Schema(std::string_view section, std::vector<Row> rows) : rows_(std::move(rows)) {
  for (Row& row : rows_) row.section_ = section;
}

Schema& Schema::append(Schema other) {
  for (Row& row : other.rows_) rows_.push_back(std::move(row));
  return *this;
}

}  // namespace aictl
