// Any bytes as the body of any request: parsed or refused, never more. The first byte picks the
// endpoint.
#include "core/openai/request/chat.hpp"
#include "core/openai/request/text.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

using namespace aictl;
using namespace aictl::openai;

// An error must itself be sendable.
template <typename T>
void use(const ApiResult<T>& parsed) {
  if (parsed) return;
  const ApiError& error = parsed.error();
  if (error.status < 400 || error.message.empty()) __builtin_trap();
  if (!parse_json(dump_json(error_body(error)))) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto body = parse_json(text);
  if (!body) return 0;
  const ParseOptions options{.strict = (data[0] & 8) != 0};
  switch (data[0] & 7) {
    case 0:
      use(parse_chat(*body, options));
      break;
    case 1:
      use(parse_completion(*body, options));
      break;
    case 2:
      use(parse_embeddings(*body, options));
      break;
    case 3:
      use(parse_tokenize(*body, options));
      break;
    case 4:
      use(parse_detokenize(*body, options));
      break;
    default:
      use(parse_apply_template(*body, options));
      break;
  }
  return 0;
}
