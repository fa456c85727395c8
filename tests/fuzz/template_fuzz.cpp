// Any bytes as a template: it parses or is refused, and renders or fails within its budget.
#include "core/template/template.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

const aictl::Json& variables() {
  static const aictl::Json tree = aictl::Json::parse(R"({
    "messages": [
      {"role": "system", "content": "Be kind."},
      {"role": "user", "content": "Zürich 日本 <|im_end|>"},
      {"role": "assistant", "content": null, "tool_calls": [
        {"id": "abcdefghi", "function": {"name": "f", "arguments": {"x": 1.5, "y": [true, null]}}}]}],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    "bos_token": "<s>", "n": 3, "s": "a b\nc", "d": {"a": 1, "b": [1, 2]}, "f": -0.5
  })");
  return tree;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  aictl::jinja::Options options;
  if (size % 3 == 1) options.undefined = aictl::jinja::UndefinedPolicy::kChainable;
  if (size % 3 == 2) options.undefined = aictl::jinja::UndefinedPolicy::kStrict;
  const auto parsed = aictl::jinja::Template::parse(source, options);
  if (!parsed) return 0;
  aictl::jinja::RenderOptions limits;
  limits.max_steps = 20'000;
  limits.max_output_bytes = 100'000;
  const auto rendered = parsed->render(variables(), limits);
  if (!rendered) return 0;
  size_t end = 0;  // the spans cover the text
  for (const auto& span : rendered->spans) {
    if (span.begin != end || span.end <= span.begin) std::abort();
    end = span.end;
  }
  if (end != rendered->text.size()) std::abort();
  return 0;
}
