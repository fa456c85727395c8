#include "core/openai/request/chat.hpp"

#include <array>

#include <fmt/format.h>

namespace aictl::openai {
namespace {

constexpr size_t kMaxTools = 1024;

// [{type:"function",function:{name,...}}], given to the template as it came.
void read_tools(Reader& reader, Json& out) {
  const Json* tools = reader.array("tools");
  if (tools == nullptr || tools->empty()) return;
  if (tools->size() > kMaxTools)
    return reader.refuse("tools", fmt::format("tools has {} entries, but at most {} are taken",
                                              tools->size(), kMaxTools));
  for (size_t i = 0; i < tools->size(); ++i) {
    const std::string place = fmt::format("tools[{}]", i);
    const Json& tool = (*tools)[i];
    const Json* type = tool.is_object() ? present(tool, "type") : nullptr;
    if (type != nullptr && *type != "function")
      return reader.fail(
          unsupported_value(place + ".type", fmt::format("{}.type {} is not supported, only "
                                                         "\"function\"",
                                                         place, shown(*type))));
    const Json* function = tool.is_object() ? present(tool, "function") : nullptr;
    const Json* name = function && function->is_object() ? present(*function, "name") : nullptr;
    if (name == nullptr || !name->is_string())
      return reader.refuse(place, fmt::format("{}.function.name must be a string", place));
    const Json* strict = present(*function, "strict");
    if (strict != nullptr && *strict != false)
      return reader.fail(unsupported_value(
          place + ".function.strict",
          fmt::format(
              "{}.function.strict {} is not supported: arguments are what the model writes; "
              "leave it out and check them against the schema",
              place, shown(*strict))));
  }
  out = *tools;
}

// The old form: `functions` is a list of what stands under `function` today.
void read_functions(Reader& reader, Json& out) {
  const Json* functions = reader.array("functions");
  if (functions == nullptr || functions->empty()) return;
  if (!out.is_null())
    return reader.refuse("functions", "functions is the old name of tools; send one of the two");
  Json tools = Json::array();
  for (const Json& function : *functions) {
    const Json* name = function.is_object() ? present(function, "name") : nullptr;
    if (name == nullptr || !name->is_string())
      return reader.refuse(fmt::format("functions[{}]", tools.size()),
                           fmt::format("functions[{}].name must be a string", tools.size()));
    tools.push_back({{"type", "function"}, {"function", function}});
  }
  out = std::move(tools);
}

// "auto" leaves it to the model, "none" hides the tools from it; to force a call would need
// constrained output.
void read_choice(Reader& reader, std::string_view field, Json& tools) {
  const Json* choice = reader.any(field);
  if (choice == nullptr || *choice == "auto") return;
  if (*choice == "none") {
    tools = nullptr;
    return;
  }
  if (choice->is_object() || *choice == "required")
    return reader.fail(unsupported_value(
        field, fmt::format("{} {} is not supported: a tool call cannot be forced; "
                           "send \"auto\", and only the tools it may use",
                           field, shown(*choice))));
  reader.refuse(field,
                fmt::format("{} is {}, but must be \"auto\" or \"none\"", field, shown(*choice)));
}

void read_effort(Reader& reader, Json& kwargs) {
  constexpr std::array<std::string_view, 7> kEfforts{"none", "minimal", "low", "medium",
                                                     "high", "xhigh",   "max"};
  std::string effort;
  reader.text("reasoning_effort", effort);
  if (effort.empty()) return;
  bool known = false;
  for (const std::string_view word : kEfforts) known = known || word == effort;
  if (!known)
    return reader.refuse("reasoning_effort",
                         fmt::format("reasoning_effort {} is not one of none, minimal, low, "
                                     "medium, high, xhigh, max",
                                     shown(effort)));
  if (!kwargs.contains("reasoning_effort")) kwargs["reasoning_effort"] = effort;
  if (!kwargs.contains("enable_thinking")) kwargs["enable_thinking"] = effort != "none";
}

void read_messages(Reader& reader, Conversation& out) {
  const Json* messages = reader.array("messages");
  if (messages == nullptr) return reader.fail(missing("messages"));
  if (messages->empty()) return reader.refuse("messages", "messages is empty");
  for (size_t i = 0; i < messages->size(); ++i) {
    auto message = normalize_message((*messages)[i], fmt::format("messages[{}]", i));
    if (!message) return reader.fail(message.error());
    out.messages.push_back(std::move(*message));
  }
}

// A last message of the assistant is gone on with when no new turn is opened after it.
void read_turn(Reader& reader, Conversation& out) {
  bool forced = false;
  reader.boolean("add_generation_prompt", out.add_generation_prompt);
  reader.boolean("continue_final_message", forced);
  if (reader.failed()) return;
  const Json& last = out.messages.back();
  const bool assistant = last["role"] == "assistant" && last["content"].is_string();
  if (forced && !assistant)
    return reader.refuse("continue_final_message",
                         "continue_final_message needs a last message of role assistant with text");
  if (forced && reader.any("add_generation_prompt") != nullptr && out.add_generation_prompt)
    return reader.refuse("continue_final_message",
                         "continue_final_message and add_generation_prompt exclude each other");
  out.continue_final_message = forced || (assistant && !out.add_generation_prompt);
  if (forced) out.add_generation_prompt = false;
}

void read_logprobs(Reader& reader, ChatRequest& out) {
  bool wanted = false;
  std::optional<int> top;
  reader.boolean("logprobs", wanted);
  reader.integer("top_logprobs", top, 0, 20);
  if (top && *top > 0 && !wanted)
    return reader.refuse("top_logprobs", "top_logprobs needs logprobs to be true");
  if (wanted) out.logprobs = top.value_or(0);
}

// Whether thinking comes apart from the answer, and how many tools it may call.
void read_shape(Reader& reader, ChatRequest& out) {
  bool parallel = true;
  reader.boolean("parallel_tool_calls", parallel);
  out.one_call = !parallel;
  std::string format = "auto";
  reader.text("reasoning_format", format);
  if (format != "none" && format != "auto" && format != "deepseek")
    reader.refuse(
        "reasoning_format",
        fmt::format("reasoning_format {} is not one of none, auto, deepseek", shown(format)));
  out.split_reasoning = format != "none";
}

void read_metadata(Reader& reader, Json& out) {
  const Json* metadata = reader.object("metadata");
  if (metadata == nullptr) return;
  if (metadata->size() > 16)
    return reader.refuse("metadata", fmt::format("metadata has {} pairs, but at most 16 are taken",
                                                 metadata->size()));
  for (const auto& [key, value] : metadata->items())
    if (!value.is_string())
      return reader.refuse("metadata",
                           fmt::format("metadata value {} is not a string", shown(value)));
  out = *metadata;
}

}  // namespace

void read_conversation(Reader& reader, Conversation& out) {
  if (const Json* kwargs = reader.object("chat_template_kwargs")) out.kwargs = *kwargs;
  read_effort(reader, out.kwargs);
  read_messages(reader, out);
  read_tools(reader, out.tools);
  read_functions(reader, out.tools);
  read_choice(reader, "tool_choice", out.tools);
  read_choice(reader, "function_call", out.tools);
  if (!reader.failed()) read_turn(reader, out);
}

ApiResult<ChatRequest> parse_chat(const Json& body, const ParseOptions& options) {
  if (auto error = check_fields(body, kChat, options)) return std::move(*error);
  ChatRequest request;
  Reader reader(body);
  if (present(body, "model") == nullptr) return missing("model");
  read_generation(reader, request.generation);
  read_conversation(reader, request.conversation);
  read_logprobs(reader, request);
  read_metadata(reader, request.metadata);
  read_shape(reader, request);
  if (auto error = reader.take_error()) return std::move(*error);
  request.generation.sampling.logprobs = request.logprobs;
  return request;
}

}  // namespace aictl::openai
