// Messages as clients send them -> messages as templates take them.
#include "core/openai/request/chat.hpp"

#include <array>

#include <fmt/format.h>

namespace aictl::openai {
namespace {

ApiError refused_part(const std::string& path, const std::string& type) {
  if (type == "image_url" || type == "input_audio" || type == "file")
    return unsupported_value(path, fmt::format("{}: parts of type '{}' are not supported, the "
                                               "model reads text",
                                               path, type));
  return invalid_value(path + ".type",
                       fmt::format("{}.type is {}, but must be \"text\"", path, shown(type)));
}

// Text of a part: {type:"text",text}, or of an assistant {type:"refusal",refusal}.
ApiResult<std::string> part_text(const Json& part, bool assistant, const std::string& path) {
  if (!part.is_object())
    return invalid_value(path, fmt::format("{} is {}, but must be an object", path, shown(part)));
  Reader reader(part, path + ".");
  std::string type, text;
  reader.text("type", type);
  if (!reader.failed() && type.empty()) return missing(path + ".type");
  const bool refusal = assistant && type == "refusal";
  const bool readable = refusal || type == "text" || type == "input_text" || type == "output_text";
  if (!reader.failed() && !readable) return refused_part(path, type);
  const std::string_view field = refusal ? "refusal" : "text";
  if (!reader.failed() && reader.any(field) == nullptr) return missing(reader.path(field));
  reader.text(field, text);
  if (auto error = reader.take_error()) return std::move(*error);
  return text;
}

ApiResult<std::string> content_text(const Json& content, bool assistant, const std::string& path) {
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array())
    return invalid_value(path, fmt::format("{} is {}, but must be a string or an array of parts",
                                           path, shown(content)));
  std::string joined;
  for (size_t i = 0; i < content.size(); ++i) {
    auto text = part_text(content[i], assistant, fmt::format("{}[{}]", path, i));
    if (!text) return text.error();
    if (i > 0) joined += '\n';
    joined += *text;
  }
  return joined;
}

// {name, arguments: JSON text or object} -> {name, arguments: object}.
ApiResult<Json> called_function(const Json& function, const std::string& path) {
  if (!function.is_object())
    return invalid_value(path,
                         fmt::format("{} is {}, but must be an object", path, shown(function)));
  Reader reader(function, path + ".");
  std::string name;
  reader.text("name", name);
  if (auto error = reader.take_error()) return std::move(*error);
  if (name.empty()) return missing(path + ".name");
  Json arguments = Json::object();
  if (const Json* sent = present(function, "arguments")) {
    const bool text = sent->is_string();
    if (text && !sent->get_ref<const std::string&>().empty()) {
      auto parsed = parse_json(sent->get_ref<const std::string&>());
      if (!parsed)
        return invalid_value(path + ".arguments", fmt::format("{}.arguments is not JSON: {}", path,
                                                              parsed.error().message));
      arguments = std::move(*parsed);
    } else if (!text) {
      arguments = *sent;
    }
    if (!arguments.is_object())
      return invalid_value(
          path + ".arguments",
          fmt::format("{}.arguments is {}, but must be an object", path, shown(arguments)));
  }
  return Json{{"name", name}, {"arguments", std::move(arguments)}};
}

ApiResult<Json> tool_calls(const Json& calls, const std::string& path) {
  if (!calls.is_array())
    return invalid_value(path, fmt::format("{} is {}, but must be an array", path, shown(calls)));
  Json out = Json::array();
  for (size_t i = 0; i < calls.size(); ++i) {
    const std::string place = fmt::format("{}[{}]", path, i);
    if (!calls[i].is_object())
      return invalid_value(place,
                           fmt::format("{} is {}, but must be an object", place, shown(calls[i])));
    const Json* function = present(calls[i], "function");
    if (function == nullptr) return missing(place + ".function");
    auto called = called_function(*function, place + ".function");
    if (!called) return called.error();
    Reader reader(calls[i], place + ".");
    std::string id;
    reader.text("id", id);
    if (auto error = reader.take_error()) return std::move(*error);
    out.push_back({{"id", id}, {"type", "function"}, {"function", std::move(*called)}});
  }
  return out;
}

// The fields only an assistant's message has. `out` has its role already.
std::optional<ApiError> add_assistant_fields(const Json& message, const std::string& path,
                                             Json& out) {
  Reader reader(message, path + ".");
  std::string thinking, refusal;
  reader.text("reasoning", thinking);
  reader.text("reasoning_content", thinking);
  reader.text("refusal", refusal);
  if (auto error = reader.take_error()) return error;
  if (!thinking.empty()) out["reasoning_content"] = thinking;
  if (out["content"].is_null() && !refusal.empty()) out["content"] = refusal;

  if (const Json* calls = present(message, "tool_calls"); calls && !calls->empty()) {
    auto list = tool_calls(*calls, path + ".tool_calls");
    if (!list) return list.error();
    out["tool_calls"] = std::move(*list);
  } else if (const Json* call = present(message, "function_call")) {
    auto called = called_function(*call, path + ".function_call");
    if (!called) return called.error();
    out["tool_calls"] =
        Json::array({{{"id", ""}, {"type", "function"}, {"function", std::move(*called)}}});
  }
  // Templates look into the content or print it: most fail on null, or write "None".
  if (out["content"].is_null()) out["content"] = "";
  return std::nullopt;
}

// The role as templates know it; empty for one nobody knows.
std::string_view template_role(std::string_view role) {
  constexpr std::array<std::string_view, 4> kSame{"system", "user", "assistant", "tool"};
  for (const std::string_view same : kSame)
    if (role == same) return same;
  if (role == "developer") return "system";
  if (role == "function") return "tool";
  return {};
}

}  // namespace

ApiResult<Json> normalize_message(const Json& message, const std::string& path) {
  if (!message.is_object())
    return invalid_value(path,
                         fmt::format("{} is {}, but must be an object", path, shown(message)));
  Reader reader(message, path + ".");
  std::string sent_role, name, call_id;
  reader.text("role", sent_role);
  reader.text("name", name);
  reader.text("tool_call_id", call_id);
  if (auto error = reader.take_error()) return std::move(*error);
  if (sent_role.empty()) return missing(path + ".role");
  const std::string_view role = template_role(sent_role);
  if (role.empty())
    return invalid_value(path + ".role",
                         fmt::format("{}.role is {}, but must be system, developer, "
                                     "user, assistant or tool",
                                     path, shown(sent_role)));
  Json out{{"role", role}};
  if (const Json* content = present(message, "content")) {
    auto text = content_text(*content, role == "assistant", path + ".content");
    if (!text) return text.error();
    out["content"] = std::move(*text);
  } else if (role != "assistant") {
    return missing(path + ".content");
  } else {
    out["content"] = nullptr;
  }
  if (!name.empty()) out["name"] = name;
  if (role == "assistant") {
    if (auto error = add_assistant_fields(message, path, out)) return std::move(*error);
  }
  if (sent_role == "tool") {
    if (call_id.empty()) return missing(path + ".tool_call_id");
    out["tool_call_id"] = call_id;
  }
  return out;
}

}  // namespace aictl::openai
