// Schema: a setting is declared once, as a row that binds a name to a field of a plain struct. The
// flag, the AICTL_* variable, the config key, help, man page and completions all come from the row.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/value/json.hpp"

namespace aictl {

/// What a field holds. In JSON: kDuration is text such as "30s", kBytes a number or text such as
/// "16Gi", kChoice one of the row's words, kList an array.
enum class FieldKind { kBool, kInteger, kReal, kText, kList, kDuration, kBytes, kChoice };

/// Which layer a value came from; a later one wins.
enum class Origin { kDefault, kFile, kEnvironment, kFlag };

/// "default", "file", "environment", "flag".
std::string_view origin_name(Origin origin);

/// How a shell completes a value.
enum class Completion { kNone, kFile, kFolder };

/// One setting. The field it binds must outlive it. Copies of a row bind the same field.
class Row {
 public:
  Row(std::string name, bool* field, std::string help);
  Row(std::string name, int* field, std::string help);
  Row(std::string name, int64_t* field, std::string help);
  Row(std::string name, float* field, std::string help);
  Row(std::string name, double* field, std::string help);
  Row(std::string name, std::string* field, std::string help);
  Row(std::string name, std::vector<std::string>* field, std::string help);
  Row(std::string name, std::vector<int32_t>* field, std::string help);
  Row(std::string name, std::chrono::nanoseconds* field, std::string help);
  Row(std::string name, std::chrono::milliseconds* field, std::string help);
  Row(std::string name, std::chrono::seconds* field, std::string help);
  /// A size in bytes.
  Row(std::string name, uint64_t* field, std::string help);

  /// A field that may stay unset.
  template <typename T>
  Row(std::string name, std::optional<T>* field, std::string help)
      : Row(std::move(name), std::make_shared<T>(), field, std::move(help)) {}

  /// An enum, written as one of `words`; every value the field can have has a word.
  template <typename E>
  requires std::is_enum_v<E> Row(std::string name, E* field, std::string help,
                                 std::vector<std::pair<std::string_view, E>> words)
      : name_(std::move(name)), help_(std::move(help)), kind_(FieldKind::kChoice) {
    for (const auto& [word, value] : words) choices_.emplace_back(word);
    load_ = [field, words] {
      for (const auto& [word, value] : words)
        if (value == *field) return Json(std::string(word));
      return Json();
    };
    store_ = [field, words](const Json& chosen) {
      for (const auto& [word, value] : words)
        if (word == chosen.get_ref<const std::string&>()) *field = value;
    };
    default_ = load_();
  }

  // Refinements, for use where the row is declared: Row("port", &o.port, "...").range(0, 65535).
  Row range(double low, double high) &&;            // kInteger, kReal, kBytes; both ends are legal
  Row choices(std::vector<std::string> words) &&;   // kText, and each item of a kList
  Row suggest(std::vector<std::string> words) &&;   // shells offer them; others are as legal
  Row initially(const Json& value) &&;              // another default; the field takes it
  Row spelled(std::string word, int64_t value) &&;  // kInteger: the word may be written for it
  Row letter(char short_name) &&;                   // also -x
  Row value(std::string placeholder) &&;            // the value's name in help: FILE, N, URL
  Row file() &&;                                    // a path; shells complete files
  Row folder() &&;                                  // a path; shells complete folders
  Row secret() &&;     // from file or environment only; never printed, never a flag
  Row flag_only() &&;  // neither a variable nor a config key
  Row verbatim() &&;   // a kList's flag is not split at commas; it may be repeated

  const std::string& name() const { return name_; }
  const std::string& help() const { return help_; }
  FieldKind kind() const { return kind_; }
  const std::vector<std::string>& words() const { return choices_; }
  char letter() const { return letter_; }
  Completion completion() const { return completion_; }
  bool is_secret() const { return secret_; }
  /// What help calls the value, such as "N" or "DURATION"; empty for a kBool.
  std::string placeholder() const;
  /// What shells complete: the words, or else what was suggested.
  const std::vector<std::string>& completions() const {
    return choices_.empty() ? suggestions_ : choices_;
  }
  /// Whether --no-NAME is understood as well: a kBool that other layers may have turned on, unless
  /// its name is a negation already.
  bool is_negatable() const {
    return kind_ == FieldKind::kBool && !variable().empty() && !name_.starts_with("no-");
  }

  /// "--max-context"; empty for a secret.
  std::string flag() const;
  /// "AICTL_SERVE_MAX_CONTEXT"; empty for a row without a section.
  std::string variable() const;
  /// "serve.max_context"; empty for a row without a section.
  std::string key() const;

  /// The field's value now, as the file would spell it; null when unset.
  Json load() const { return load_(); }
  /// The field's value when the row was made.
  const Json& default_value() const { return default_; }
  Origin origin() const { return origin_; }
  /// "/etc/aictl/config.yaml:3", the variable, the flag; empty for a default.
  const std::string& place() const { return place_; }

  /// Sets the field from text. Errors: kInvalidArgument when it does not read as the kind, is out
  /// of range or not one of the words; the field keeps its value then.
  Result<void> set_text(std::string_view text, Origin origin, std::string place);
  /// Sets the field from a value of the config file. Errors: kDataRefused, as above.
  Result<void> set_json(const Json& value, Origin origin, std::string place);
  /// Sets a kList from the words that were typed for it: `split` at commas, unless the row is
  /// verbatim, or as they are.
  Result<void> set_items(const std::vector<std::string>& items, bool split, Origin origin,
                         std::string place);

 private:
  friend class Schema;

  template <typename T>
  Row(std::string name, std::shared_ptr<T> scratch, std::optional<T>* field, std::string help)
      : Row(std::move(name), scratch.get(), std::move(help)) {
    // The row's functions share `scratch`, through which the value takes the plain type's path.
    load_ = [field, scratch, plain = load_] {
      if (!field->has_value()) return Json();
      *scratch = **field;
      return plain();
    };
    store_ = [field, scratch, plain = store_](const Json& value) {
      plain(value);
      *field = *scratch;
    };
    default_ = load_();
  }

  Row(std::string name, FieldKind kind, std::string help)
      : name_(std::move(name)), help_(std::move(help)), kind_(kind) {}
  template <typename T>
  void bind(T* field);
  Result<Json> from_text(std::string_view text) const;
  Result<Json> from_json(const Json& value) const;
  Result<void> check(const Json& value) const;
  Result<void> check_word(const Json& value) const;
  Result<void> keep(Result<Json> value, Origin origin, std::string place);

  std::string name_, help_, section_, placeholder_;
  FieldKind kind_;
  bool integers_ = false;  // a kList of integers
  std::vector<std::string> choices_, suggestions_;
  std::optional<std::pair<double, double>> range_;
  std::optional<std::pair<std::string, int64_t>> spelled_;
  char letter_ = 0;
  Completion completion_ = Completion::kNone;
  bool secret_ = false, flag_only_ = false, verbatim_ = false;
  std::function<Json()> load_;
  std::function<void(const Json&)> store_;  // takes a checked value: text, number or array
  Json default_;
  Origin origin_ = Origin::kDefault;
  std::string place_;
};

/// The rows of a struct, in the order help shows them.
class Schema {
 public:
  Schema() = default;
  /// Rows that are flags only.
  Schema(std::initializer_list<Row> rows) : rows_(rows) {}
  /// Rows under `section` ("serve", or "bench.model"): variables, config keys and flags.
  Schema(std::string_view section, std::vector<Row> rows);

  /// Adds the rows of `other` after these.
  Schema& append(Schema other);

  std::vector<Row>& rows() { return rows_; }
  const std::vector<Row>& rows() const { return rows_; }

 private:
  std::vector<Row> rows_;
};

/// "1500ms", "30s", "2h": the shortest text that parse_duration reads back to the same value.
std::string exact_duration(std::chrono::nanoseconds duration);
/// A size as "16Gi" where that is exact, else in bytes.
std::string exact_bytes(uint64_t bytes);

}  // namespace aictl
