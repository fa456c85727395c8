#include "core/value/yaml.hpp"

#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "core/base/utf8.hpp"

namespace aictl {
namespace {

constexpr int kMaxDepth = 64;
constexpr size_t kMaxNodes = 1'000'000;

Error refuse(const YAML::Mark& mark, std::string_view why) {
  return {ErrorCode::kDataRefused,
          mark.is_null()
              ? std::string(why)
              : fmt::format("line {}, column {}: {}", mark.line + 1, mark.column + 1, why),
          ""};
}

template <typename T>
bool number_from(std::string_view text, T& out, int base = 10) {
  const char* end = text.data() + text.size();
  std::from_chars_result result{};
  if constexpr (std::is_floating_point_v<T>)
    result = std::from_chars(text.data(), end, out);
  else
    result = std::from_chars(text.data(), end, out, base);
  return result.ec == std::errc() && result.ptr == end;
}

// YAML 1.2 core schema for plain scalars.
Json plain_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  std::string_view digits = text;
  const bool plus = digits.front() == '+';
  if (plus) digits.remove_prefix(1);
  if (digits.empty()) return text;
  int64_t integer = 0;
  if (number_from(digits, integer)) return integer;
  if (digits.starts_with("0x") && number_from(digits.substr(2), integer, 16)) return integer;
  if (digits.starts_with("0o") && number_from(digits.substr(2), integer, 8)) return integer;
  const char first = digits.front() == '-' && digits.size() > 1 ? digits[1] : digits.front();
  const bool numeric = (first >= '0' && first <= '9') || first == '.';
  double real = 0;
  if (numeric && digits != "." && number_from(digits, real) && std::isfinite(real)) return real;
  return text;
}

std::string escape_pointer(std::string_view key) {
  std::string out;
  for (const char c : key) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

class Converter {
 public:
  Result<Json> convert(const YAML::Node& node, const std::string& pointer, int depth) {
    if (depth > kMaxDepth)
      return refuse(node.Mark(), fmt::format("nested deeper than {}", kMaxDepth));
    if (++nodes_ > kMaxNodes)
      return refuse(node.Mark(), fmt::format("more than {} nodes", kMaxNodes));
    places[pointer] = place(node);
    switch (node.Type()) {
      case YAML::NodeType::Sequence:
        return sequence(node, pointer, depth);
      case YAML::NodeType::Map:
        return map(node, pointer, depth);
      case YAML::NodeType::Scalar:
        return scalar(node);
      default:
        return Json(nullptr);
    }
  }
  std::map<std::string, SourcePlace> places;

 private:
  static SourcePlace place(const YAML::Node& node) {
    return {node.Mark().line + 1, node.Mark().column + 1};
  }

  static Result<Json> scalar(const YAML::Node& node) {
    const std::string& tag = node.Tag();
    if (tag == "?" || tag.empty()) return plain_scalar(node.Scalar());  // plain
    if (tag == "!" || tag == "tag:yaml.org,2002:str") return Json(node.Scalar());
    return refuse(node.Mark(), fmt::format("tag '{}' is not supported", tag));
  }

  Result<Json> sequence(const YAML::Node& node, const std::string& pointer, int depth) {
    Json list = Json::array();
    for (const YAML::Node& item : node) {
      auto value = convert(item, fmt::format("{}/{}", pointer, list.size()), depth + 1);
      if (!value) return value;
      list.push_back(std::move(*value));
    }
    return list;
  }

  Result<Json> map(const YAML::Node& node, const std::string& pointer, int depth) {
    Json object = Json::object();
    for (const auto& entry : node) {
      const YAML::Node &key_node = entry.first, &value_node = entry.second;
      if (!key_node.IsScalar()) return refuse(key_node.Mark(), "a key must be a plain word");
      const std::string& key = key_node.Scalar();
      if (object.contains(key))
        return refuse(key_node.Mark(), fmt::format("duplicate key '{}'", key));
      auto value = convert(value_node, pointer + "/" + escape_pointer(key), depth + 1);
      if (!value) return value;
      object[key] = std::move(*value);
      places[pointer + "/" + escape_pointer(key)] = place(key_node);
    }
    return object;
  }

  size_t nodes_ = 0;
};

// yaml-cpp guesses at UTF-16 and reads what it cannot decode as nothing; here all text is UTF-8,
// and a control character is the sign of a file that is no text.
Result<void> check_text(std::string_view text) {
  const std::string_view whole = text;
  int line = 1;
  size_t line_start = 0;
  while (!text.empty()) {
    const utf8::Step step = utf8::decode(text);
    const size_t at = whole.size() - text.size();
    const char32_t c = step.code_point;
    if (!step.valid || (c < ' ' && c != '\t' && c != '\n' && c != '\r'))
      return Error{ErrorCode::kDataRefused,
                   fmt::format("line {}, column {}: byte {:#04x} {}", line,
                               utf8::count(whole.substr(line_start, at - line_start)) + 1,
                               static_cast<unsigned char>(text.front()),
                               step.valid ? "is no character of a text" : "is not UTF-8"),
                   "write the file as UTF-8 text"};
    text.remove_prefix(static_cast<size_t>(step.length));
    if (c == '\n') ++line, line_start = at + 1;
  }
  return {};
}

void emit(YAML::Emitter& out, const Json& tree) {
  if (tree.is_object()) {
    if (tree.empty()) out << YAML::Flow;
    out << YAML::BeginMap;
    for (const auto& [key, value] : tree.items()) {
      out << YAML::Key << key << YAML::Value;
      emit(out, value);
    }
    out << YAML::EndMap;
  } else if (tree.is_array()) {
    if (tree.empty()) out << YAML::Flow;
    out << YAML::BeginSeq;
    for (const Json& item : tree) emit(out, item);
    out << YAML::EndSeq;
  } else if (tree.is_string()) {
    const auto& text = tree.get_ref<const std::string&>();
    const bool reads_back = plain_scalar(text).is_string();
    if (text.find('\n') != text.npos && text.find('\r') == text.npos && text.front() != ' ' &&
        text.front() != '\n')
      out << YAML::Literal << text;
    else if (reads_back)
      out << text;
    else
      out << YAML::DoubleQuoted << text;
  } else if (tree.is_null()) {
    out << YAML::Null;
  } else {
    out << dump_json(tree);
  }
}

}  // namespace

Result<YamlDocument> parse_yaml(std::string_view text) {
  if (auto ok = check_text(text); !ok) return std::move(ok).error();
  // yaml-cpp recurses on flow collections; the deepest legal nesting is bounded before it sees the
  // text.
  int depth = 0;
  for (const char c : text) {
    depth += (c == '[' || c == '{') - (c == ']' || c == '}');
    if (depth > 1000) return Error{ErrorCode::kDataRefused, "brackets nested deeper than 1000", ""};
  }
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.size() > 1)
      return refuse(documents[1].Mark(), "a second document; only one is read");
    Converter converter;
    YamlDocument document;
    if (documents.empty()) return document;
    auto tree = converter.convert(documents[0], "", 0);
    if (!tree) return std::move(tree).error();
    document.tree = std::move(*tree);
    document.places = std::move(converter.places);
    return document;
  } catch (const YAML::Exception& e) {
    return refuse(e.mark, e.msg);
  }
}

std::string dump_yaml(const Json& tree) {
  YAML::Emitter out;
  emit(out, tree);
  return std::string(out.c_str()) + "\n";
}

}  // namespace aictl
