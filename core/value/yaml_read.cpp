// Builds the tree from yaml-cpp's events. Its own tree of nodes knows neither bounds nor dialects,
// and an alias in it is shared; here an alias is a copy that is paid for before it is made.
#include "core/value/yaml_read.hpp"

#include <optional>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "core/base/utf8.hpp"

namespace aictl {
namespace {

// Thrown through the parser, because that is the only way to stop it; caught in parse_yaml.
[[noreturn]] void refuse(const YAML::Mark& mark, const std::string& why) {
  throw YAML::ParserException(mark, why);
}

void append_escaped(std::string& pointer, std::string_view key) {
  for (const char c : key) {
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
  }
}

// What a copy costs: its nodes, and its text by 16 bytes.
size_t weight(const Json& value) {
  size_t sum = 1;
  if (value.is_string()) sum += value.get_ref<const std::string&>().size() / 16;
  if (value.is_array())
    for (const Json& item : value) sum += weight(item);
  if (value.is_object())
    for (const auto& [key, item] : value.items()) sum += weight(item) + key.size() / 16;
  return sum;
}

// Pairs in the order written. The tree's own map searches itself at each insertion and copies
// subtrees as it grows; here a long mapping has a set of its keys, and the map is made at the end.
class Entries {
 public:
  bool contains(const std::string& key) const {
    if (pairs_.size() > kSmall) return seen_.contains(key);
    for (const auto& pair : pairs_)
      if (pair.first == key) return true;
    return false;
  }
  void add(std::string key, Json value) {
    if (pairs_.size() == kSmall)
      for (const auto& pair : pairs_) seen_.insert(pair.first);
    if (pairs_.size() >= kSmall) seen_.insert(key);
    pairs_.emplace_back(std::move(key), std::move(value));
  }
  Json object() && {
    Json::object_t map;
    map.reserve(pairs_.size());
    for (auto& pair : pairs_)
      if (!pair.second.is_discarded())
        map.emplace_back(std::move(pair.first), std::move(pair.second));
    return map;
  }

 private:
  static constexpr size_t kSmall = 24;
  std::vector<std::pair<std::string, Json>> pairs_;
  std::unordered_set<std::string> seen_;
};

class Builder final : public YAML::EventHandler {
 public:
  Builder(std::string_view text, const YamlOptions& options) : text_(text), options_(options) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (started_) refuse(mark, "a second document; only one is read");
    started_ = true;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (key_expected()) return take_key(mark, "", true);
    begin(mark);
    end(nullptr, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) refuse(mark, "an alias inside the value it stands for");
    if (key_expected()) {
      if (!found->second.is_string()) refuse(mark, "a key must be a plain word");
      return take_key(mark, found->second.get<std::string>(), false);
    }
    const size_t cost = weight(found->second);
    begin(mark);
    spend(mark, cost);
    end(Json(found->second), 0);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (key_expected()) {
      if (anchor != 0) anchors_[anchor] = value;
      return take_key(mark, value, tag == "?" || tag.empty());
    }
    begin(mark);
    end(scalar(mark, tag, value), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(mark, tag, anchor, style, false);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(mark, tag, anchor, style, true);
  }
  void OnMapEnd() override { close(); }

  YamlDocument document;

 private:
  struct Frame {
    bool is_map;
    bool flow;
    YAML::anchor_t anchor;
    YAML::Mark mark;
    size_t pointer_size;  // of the container's own pointer
    bool has_key = false;
    bool merge = false;  // the key is a merge key
    bool odd = false;    // the key was no string: its value is dropped
    std::string key;
    Entries entries;
    Json::array_t items;
    std::vector<Json> merged;
  };

  bool key_expected() const {
    return !stack_.empty() && stack_.back().is_map && !stack_.back().has_key;
  }

  SourcePlace place(const YAML::Mark& mark) const {
    return {mark.line + options_.first_line, mark.column + 1};
  }

  void spend(const YAML::Mark& mark, size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > options_.max_nodes)
      refuse(mark, fmt::format("more than {} nodes", options_.max_nodes));
  }

  // yaml-cpp takes a tab for a space before some values; no other parser does.
  void refuse_tab(const YAML::Mark& mark) const {
    if (!stack_.empty() && stack_.back().flow) return;
    const auto begin = size_t(mark.pos - mark.column);
    if (mark.pos < mark.column || begin > text_.size()) return;
    const std::string_view line = text_.substr(begin, size_t(mark.column));
    const size_t first = line.find_first_not_of(" \t");
    if (line.substr(0, std::min(first, line.size())).find('\t') != line.npos)
      refuse(mark, "a tab does not indent; use spaces");
  }

  void take_key(const YAML::Mark& mark, const std::string& text, bool plain) {
    Frame& frame = stack_.back();
    refuse_tab(mark);
    const bool kubernetes = options_.dialect == YamlDialect::kKubernetes;
    frame.has_key = true;
    frame.merge = kubernetes && plain && text == "<<";
    frame.odd = false;
    const bool again = !frame.merge && frame.entries.contains(text);
    if (again && options_.repeated == nullptr)
      refuse(mark, fmt::format("duplicate key '{}'", text));
    frame.key = text;
    if (kubernetes && plain && !frame.merge && options_.odd_keys != nullptr) {
      const auto value = plain_value(text, options_.dialect);
      frame.odd = !value || !value->is_string();
      if (frame.odd)
        options_.odd_keys->push_back(
            {pointer_.substr(0, frame.pointer_size), text.empty() ? "null" : text, place(mark)});
    }
    pointer_.resize(frame.pointer_size);
    if (again) {
      frame.odd = true;
      options_.repeated->push_back({pointer_, text, place(mark)});
      pointer_ += "/~";  // no pointer: what is unread has no place
    }
    pointer_ += '/';
    append_escaped(pointer_, text);
    if (!frame.odd && !frame.merge) document.places[pointer_] = place(mark);
  }

  // A value begins: it is counted, and an item of a list gets its place.
  void begin(const YAML::Mark& mark) {
    spend(mark, 1);
    refuse_tab(mark);
    if (stack_.empty()) {
      document.places[""] = place(mark);
    } else if (Frame& frame = stack_.back(); !frame.is_map) {
      pointer_.resize(frame.pointer_size);
      pointer_ += fmt::format("/{}", frame.items.size());
      document.places[pointer_] = place(mark);
    }
  }

  void end(Json value, YAML::anchor_t anchor) {
    if (anchor != 0) {
      spend(YAML::Mark::null_mark(), weight(value));
      anchors_[anchor] = value;
    }
    if (stack_.empty()) {
      document.tree = std::move(value);
      return;
    }
    Frame& frame = stack_.back();
    if (!frame.is_map) return frame.items.push_back(std::move(value));
    frame.has_key = false;
    if (frame.merge)
      add_merged(frame, std::move(value));
    else if (frame.odd)
      frame.entries.add(std::move(frame.key), Json(Json::value_t::discarded));
    else
      frame.entries.add(std::move(frame.key), std::move(value));
  }

  static void add_merged(Frame& frame, Json value) {
    Json list = value.is_array() ? std::move(value) : Json::array({std::move(value)});
    for (Json& item : list) {
      if (!item.is_object())
        refuse(frame.mark, "a merge key (<<) takes a mapping or a list of them");
      frame.merged.push_back(std::move(item));
    }
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YAML::EmitterStyle::value style, bool is_map) {
    if (key_expected()) refuse(mark, "a key must be a plain word");
    const bool standard = tag.empty() || tag == "?" || tag == "!" ||
                          tag == (is_map ? "tag:yaml.org,2002:map" : "tag:yaml.org,2002:seq");
    if (!standard) refuse(mark, fmt::format("tag '{}' is not supported", tag));
    begin(mark);
    if (stack_.size() >= size_t(options_.max_depth))
      refuse(mark, fmt::format("nested deeper than {}", options_.max_depth));
    Frame frame{.is_map = is_map,
                .flow = style == YAML::EmitterStyle::Flow,
                .anchor = anchor,
                .mark = mark,
                .pointer_size = pointer_.size(),
                .key = {},
                .entries = {},
                .items = {},
                .merged = {}};
    stack_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    pointer_.resize(frame.pointer_size);
    for (Json& source : frame.merged)  // what is written wins, then what is merged first
      for (auto& [key, value] : source.items())
        if (!frame.entries.contains(key)) frame.entries.add(key, std::move(value));
    Json value = frame.is_map ? std::move(frame.entries).object() : Json(std::move(frame.items));
    end(std::move(value), frame.anchor);
  }

  Json scalar(const YAML::Mark& mark, const std::string& tag, const std::string& text) const {
    constexpr std::string_view kStandard = "tag:yaml.org,2002:";
    const bool plain = tag == "?" || tag.empty();
    if (tag == "!" || tag == "tag:yaml.org,2002:str") return text;
    const std::string_view type =
        tag.starts_with(kStandard) ? std::string_view(tag).substr(kStandard.size()) : "";
    const bool typed = options_.dialect == YamlDialect::kKubernetes &&
                       (type == "int" || type == "float" || type == "bool" || type == "null");
    if (!plain && !typed) refuse(mark, fmt::format("tag '{}' is not supported", tag));
    auto value = plain_value(text, options_.dialect);
    if (!value) refuse(mark, fmt::format("{} is no number that JSON can hold", text));
    const bool fits = plain || (type == "int" && value->is_number_integer()) ||
                      (type == "float" && value->is_number()) ||
                      (type == "bool" && value->is_boolean()) ||
                      (type == "null" && value->is_null());
    if (!fits) refuse(mark, fmt::format("'{}' is no {}", text, type));
    return std::move(*value);
  }

  std::string_view text_;
  const YamlOptions& options_;
  std::string pointer_;
  std::vector<Frame> stack_;
  std::unordered_map<YAML::anchor_t, Json> anchors_;
  size_t nodes_ = 0;
  bool started_ = false;
};

Error located(int line, int column, std::string_view why, std::string hint) {
  return {ErrorCode::kDataRefused, fmt::format("line {}, column {}: {}", line, column, why),
          std::move(hint)};
}

// What to do about the mistakes that are made most.
std::string hint_for(std::string_view message) {
  constexpr std::pair<std::string_view, std::string_view> kHints[] = {
      {"illegal map value", "quote text that has ': ' in it, or mend the indentation"},
      {"end of map not found", "mend the indentation"},
      {"end of sequence not found", "mend the indentation"},
      {"end of map flow not found", "a } is missing"},
      {"end of sequence flow not found", "a ] is missing"},
      {"illegal EOF in scalar", "a quote is missing"},
      {"unknown token", "quote text that begins with @, ` or %"},
      {"illegal tab when looking for indentation", "a tab does not indent; use spaces"}};
  for (const auto& [text, hint] : kHints)
    if (message == text) return std::string(hint);
  return "";
}

// yaml-cpp guesses at UTF-16 and reads what it cannot decode as nothing; here all text is UTF-8,
// and a control character is the sign of a file that is no text.
Result<void> check_text(std::string_view text, int line) {
  const std::string_view whole = text;
  size_t line_start = 0;
  while (!text.empty()) {
    const utf8::Step step = utf8::decode(text);
    const size_t at = whole.size() - text.size();
    const char32_t c = step.code_point;
    if (!step.valid || (c < ' ' && c != '\t' && c != '\n' && c != '\r'))
      return located(line, int(utf8::count(whole.substr(line_start, at - line_start))) + 1,
                     fmt::format("byte {:#04x} {}", static_cast<unsigned char>(text.front()),
                                 step.valid ? "is no character of a text" : "is not UTF-8"),
                     "write the file as UTF-8 text");
    text.remove_prefix(static_cast<size_t>(step.length));
    if (c == '\n') ++line, line_start = at + 1;
  }
  return {};
}

}  // namespace

Result<YamlDocument> parse_yaml(std::string_view text, const YamlOptions& options) {
  if (auto ok = check_text(text, options.first_line); !ok) return std::move(ok).error();
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder(text, options);
    while (parser.HandleNextDocument(builder)) {
    }
    return std::move(builder.document);
  } catch (const YAML::DeepRecursion& e) {
    return located(e.mark.line + options.first_line, e.mark.column + 1, "nested too deep", "");
  } catch (const YAML::Exception& e) {
    if (e.mark.is_null()) return Error{ErrorCode::kDataRefused, e.msg, ""};
    return located(e.mark.line + options.first_line, e.mark.column + 1, e.msg, hint_for(e.msg));
  }
}

}  // namespace aictl
