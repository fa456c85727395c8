#include "plugins/services/inference/text/reply/call_scanner.hpp"

#include <algorithm>
#include <utility>

#include "core/value/json.hpp"

namespace aictl {
namespace {

bool is_blank(char byte) { return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'; }

bool is_word(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || byte == '+' || byte == '-' || byte == '.';
}

// The text of a JSON string with its quotes; false for one that is none.
bool decode(std::string_view quoted, std::string& out) {
  const auto parsed = parse_json(quoted);
  if (!parsed || !parsed->is_string()) return false;
  out = parsed->get<std::string>();
  return true;
}

}  // namespace

CallScanner::Verdict CallScanner::push(char byte, std::string& arguments) {
  const bool before = started_;
  const At at = at_;
  if (!take(byte, arguments)) return before ? Verdict::kBroken : Verdict::kRefused;
  if (started_ && !before) {
    held_.clear();
  } else if (!started_ || at != At::kArguments) {
    held_.push_back(byte);
  }
  if (done_) return Verdict::kDone;
  if (!started_) return Verdict::kUndecided;
  return before ? Verdict::kGoingOn : Verdict::kStarted;
}

// False when the byte cannot stand here.
bool CallScanner::take(char byte, std::string& arguments) {
  switch (at_) {
    case At::kOpen:
      at_ = At::kFirstKey;
      return byte == '{';
    case At::kFirstKey:
      if (byte == '}') return end_object(arguments);
      [[fallthrough]];
    case At::kNextKey:
      if (is_blank(byte)) return true;
      raw_ = byte;
      at_ = At::kKey;
      return byte == '"';
    case At::kKey:
      return in_string(byte) || end_key();
    case At::kColon:
      if (is_blank(byte)) return true;
      at_ = At::kValue;
      return byte == ':';
    case At::kValue:
      return is_blank(byte) || take_value(byte, arguments);
    case At::kName:
      if (in_string(byte)) return true;
      if (!take_name()) return false;
      return !has_arguments_ || take_arguments(std::exchange(early_, {}), arguments);
    case At::kArguments:
      if (!in_nested(byte)) at_ = At::kComma;
      return take_arguments({&byte, 1}, arguments);
    case At::kArgumentText: {
      if (in_string(byte)) return true;
      at_ = At::kComma;
      std::string text;
      return decode(raw_, text) && take_arguments(text.empty() ? "{}" : text, arguments);
    }
    case At::kText:
      if (!in_string(byte)) at_ = At::kComma;
      return true;
    case At::kNested:
      if (!in_nested(byte)) at_ = At::kComma;
      return true;
    case At::kWord:
      if (is_word(byte)) return raw_.push_back(byte), true;
      at_ = At::kComma;
      if (member_ == Member::kArguments && raw_ != "null") return false;
      [[fallthrough]];
    case At::kComma:
      if (byte == '}') return end_object(arguments);
      if (byte == ',') at_ = At::kNextKey;
      return byte == ',' || is_blank(byte);
  }
  return false;
}

// The first byte of a member's value, which says of what kind it is.
bool CallScanner::take_value(char byte, std::string& arguments) {
  raw_ = byte;
  if (member_ == Member::kName) {
    at_ = At::kName;
    return byte == '"';
  }
  const bool wanted = member_ == Member::kArguments;
  if (byte == '"') {
    at_ = wanted ? At::kArgumentText : At::kText;
    return true;
  }
  if (byte == '{' || (byte == '[' && !wanted)) {
    at_ = wanted ? At::kArguments : At::kNested;
    depth_ = 1;
    return !wanted || take_arguments({&byte, 1}, arguments);
  }
  at_ = At::kWord;
  return is_word(byte);
}

bool CallScanner::take_name() {
  at_ = At::kComma;
  if (!decode(raw_, name_) || name_.empty()) return false;
  return names_.empty() || std::ranges::find(names_, name_) != names_.end();
}

// Passes arguments on, or keeps them until there is a name.
bool CallScanner::take_arguments(std::string_view bytes, std::string& arguments) {
  has_arguments_ = true;
  started_ = !name_.empty();
  (started_ ? arguments : early_).append(bytes);
  return true;
}

// Inside a string: true until its closing quote.
bool CallScanner::in_string(char byte) {
  raw_.push_back(byte);
  if (escaped_) return escaped_ = false, true;
  escaped_ = byte == '\\';
  return byte != '"';
}

// Inside an object or array: true until it is closed.
bool CallScanner::in_nested(char byte) {
  if (quoted_) {
    if (escaped_) return escaped_ = false, true;
    escaped_ = byte == '\\';
    quoted_ = byte != '"';
    return true;
  }
  quoted_ = byte == '"';
  depth_ += (byte == '{' || byte == '[') - (byte == '}' || byte == ']');
  return depth_ > 0;
}

bool CallScanner::end_key() {
  at_ = At::kColon;
  std::string key;
  if (!decode(raw_, key)) return false;
  member_ = Member::kOther;
  if (key == "name") {
    member_ = Member::kName;
    return name_.empty();
  }
  if (key == "arguments" || key == "parameters") {
    member_ = Member::kArguments;
    return !has_arguments_;
  }
  return names_.empty() || started_ || key == "type" || key == "id";
}

bool CallScanner::end_object(std::string& arguments) {
  if (name_.empty()) return false;
  if (!has_arguments_) arguments += "{}";
  return started_ = done_ = true;
}

}  // namespace aictl
