// The heap, the budget, and the first error.
#include "core/template/value/runtime.hpp"

#include <limits>

#include <fmt/format.h>

namespace aictl::jinja {

bool Runtime::spend(uint64_t count) {
  if (failed_) return false;
  steps_ += count;
  if (steps_ <= limits.max_steps) return true;
  fail_too_large(fmt::format("the template takes more than {} steps", limits.max_steps));
  return false;
}

bool Runtime::spend_bytes(size_t bytes) {
  if (bytes > limits.max_output_bytes) {
    fail_too_large(fmt::format("a text of {} bytes is over the limit of {} bytes", bytes,
                               limits.max_output_bytes));
    return false;
  }
  return spend(1 + bytes / 32);
}

Value Runtime::record(ErrorCode code, std::string message) {
  if (failed_) return {};
  failed_ = true;
  error_ = Error{code, std::move(message), {}};
  return {};
}

Value Runtime::fail(std::string message) {
  return record(ErrorCode::kDataRefused, fmt::format("line {}: {}", line, message));
}

Value Runtime::fail_too_large(std::string message) {
  return record(ErrorCode::kTooLarge, fmt::format("line {}: {}", line, message));
}

Value Runtime::raise(std::string message) {
  if (failed_) return {};
  record(ErrorCode::kInvalidArgument, std::move(message));
  error_.hint = fmt::format("raised by the template at line {}", line);
  return {};
}

Value Runtime::fail_undefined(const Value& value) {
  return fail(value.missing != nullptr ? value.missing->message : "the value is undefined");
}

bool Runtime::allow_undefined(const Value& value) {
  if (options.undefined != UndefinedPolicy::kStrict) return true;
  fail_undefined(value);
  return false;
}

Value Runtime::undefined(std::string message) {
  Value value;
  if (!spend()) return value;
  value.missing = &missing_.emplace_back(Missing{std::move(message)});
  return value;
}

Value Runtime::missing_attribute(const Value& owner, std::string_view name) {
  return undefined(fmt::format("'{}' has no attribute '{}'", object_name(owner), name));
}

Value Runtime::text(Text text) { return Value::of(&texts_.emplace_back(std::move(text))); }

Value Runtime::text(std::string bytes, bool trusted) {
  if (!spend_bytes(bytes.size())) return {};
  const std::string& kept = bytes_.emplace_back(std::move(bytes));
  return text(Text{kept, trusted});
}

Value Runtime::text(TextBuilder&& builder) {
  if (!spend_bytes(builder.size())) return {};
  std::vector<Run> runs = std::move(builder.runs());
  const bool trusted = runs.empty() || runs.front().trusted;
  if (runs.size() <= 1) runs.clear();
  const std::string& kept = bytes_.emplace_back(std::move(builder.bytes()));
  Text made{kept, trusted};
  made.runs = std::move(runs);
  return text(std::move(made));
}

Value Runtime::concatenate(const Text& left, const TextBuilder& right) {
  const size_t size = left.bytes.size() + right.size();
  if (size > limits.max_output_bytes) return spend_bytes(size), Value{};
  std::string* buffer = left.tail;
  const bool at_end =
      buffer != nullptr && left.bytes.data() + left.bytes.size() == buffer->data() + buffer->size();
  if (at_end && buffer->capacity() - buffer->size() >= right.size()) {
    if (!spend_bytes(right.size())) return {};  // no earlier text of this buffer moves
  } else {
    if (!spend_bytes(size)) return {};
    buffer = &bytes_.emplace_back();
    buffer->reserve(size < 4096 ? size : 2 * size);
    buffer->append(left.bytes);
  }
  buffer->append(right.bytes());
  std::vector<Run> runs = left.runs;
  if (runs.empty() && !left.bytes.empty()) runs.push_back({left.bytes.size(), left.trusted});
  for (const Run& run : right.runs()) {
    const Run moved{left.bytes.size() + run.end, run.trusted};
    if (!runs.empty() && runs.back().trusted == run.trusted)
      runs.back() = moved;
    else
      runs.push_back(moved);
  }
  if (!spend(runs.size() / 32)) return {};
  const bool trusted = runs.empty() || runs.front().trusted;
  if (runs.size() <= 1) runs.clear();
  const char* begin = buffer->data() + (buffer->size() - size);
  Text sum{{begin, size}, trusted};
  sum.runs = std::move(runs);
  sum.tail = buffer;
  return text(std::move(sum));
}

Value Runtime::literal(std::string_view bytes) { return text(Text{bytes}); }

Value Runtime::slice(const Text& whole, size_t begin, size_t end) {
  if (!spend(1 + whole.runs.size() / 32)) return {};
  return text(whole.slice(begin, end));
}

Value Runtime::sequence(Kind kind, std::vector<Value> items, bool untrusted) {
  if (!spend(1 + items.size())) return {};
  return Value::of(kind, &sequences_.emplace_back(Sequence{std::move(items)}), untrusted);
}

Value Runtime::list(std::vector<Value> items, bool untrusted) {
  return sequence(Kind::kList, std::move(items), untrusted);
}

Dict* Runtime::dict() {
  spend();
  return &dicts_.emplace_back();
}

Value Runtime::method(const Builtin* builtin, const Value& self) {
  Value value;
  value.kind = Kind::kMethod;
  value.method = &methods_.emplace_back(Method{builtin, self});
  return value;
}

const Json& Runtime::keep(Json tree) { return trees_.emplace_back(std::move(tree)); }

// A scalar of the variables whose origins were given.
Value Runtime::marked_scalar(const Json& tree, const std::vector<Span>& spans) {
  if (spans.empty() || tree.is_structured()) return from_json(tree, false, -1);
  if (!tree.is_string()) {
    Value value = from_json(tree, !spans.front().trusted, -1);
    value.untrusted = !spans.front().trusted;
    return value;
  }
  Text marked{tree.get_ref<const std::string&>(), spans.front().trusted};
  if (spans.size() > 1)
    for (const Span& span : spans)
      marked.runs.push_back({std::min(span.end, marked.bytes.size()), span.trusted});
  if (!marked.runs.empty()) marked.runs.back().end = marked.bytes.size();
  return text(std::move(marked));
}

Value Runtime::from_json(const Json& tree, bool untrusted, int depth) {
  if (!spend()) return {};
  if (limits.marked && depth >= 0)
    if (const auto found = limits.marked->find(&tree); found != limits.marked->end())
      return marked_scalar(tree, found->second);
  if (depth > kMaxDataDepth)
    return fail_too_large(fmt::format("a variable is nested deeper than {}", kMaxDataDepth));
  if (tree.is_string()) return text(Text{tree.get_ref<const std::string&>(), !untrusted});
  if (tree.is_array()) {
    std::vector<Value> items;
    items.reserve(tree.size());
    for (const Json& item : tree) items.push_back(from_json(item, untrusted, depth + 1));
    return list(std::move(items), untrusted);
  }
  if (tree.is_object()) {
    Dict* entries = dict();
    entries->entries.reserve(tree.size());
    for (const auto& [key, value] : tree.get_ref<const Json::object_t&>())
      entries->entries.emplace_back(text(Text{key, !untrusted}),
                                    from_json(value, untrusted, depth + 1));
    return Value::of(Kind::kDict, entries, untrusted);
  }
  if (tree.is_boolean()) return Value::of(tree.get<bool>());
  if (tree.is_number_unsigned() &&
      tree.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
    return Value::of(static_cast<double>(tree.get<uint64_t>()), untrusted);
  if (tree.is_number_integer()) return Value::of(tree.get<int64_t>(), untrusted);
  if (tree.is_number_float()) return Value::of(tree.get<double>(), untrusted);
  return Value::none();
}

}  // namespace aictl::jinja
