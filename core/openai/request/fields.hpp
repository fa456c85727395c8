// Every request field the contracts list, and what becomes of it. Nothing is dropped silently: a
// field that is not honoured is refused by name, or stands here as accepted without effect.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/openai/errors.hpp"
#include "core/value/json.hpp"

namespace aictl::openai {

/// The endpoints whose bodies are read; a row may hold for several.
enum Endpoint : uint8_t {
  kChat = 1,
  kCompletions = 2,
  kEmbeddings = 4,
  kTokenize = 8,
  kDetokenize = 16,
  kApplyTemplate = 32,
};

enum class Treatment : uint8_t {
  kHandled,   // read and honoured, or refused for values that cannot be
  kAccepted,  // taken without effect, as the contract allows
  kRefused,   // 400 unless absent or the neutral value
};

struct FieldRow {
  std::string_view name;
  unsigned endpoints;  // bits of Endpoint
  Treatment treatment;
  std::string_view neutral = {};  // JSON text of the value a refused field may have
  std::string_view why = {};      // what a refused field is told
};

std::span<const FieldRow> field_rows();

/// A field sent as null counts as absent.
const Json* present(const Json& object, std::string_view name);

struct ParseOptions {
  bool strict = false;  // unknown fields are refused instead of ignored
};

/// Walks the table over a body's fields. Errors: body not an object; a refused field; an unknown
/// one in strict mode, with the nearest known name.
std::optional<ApiError> check_fields(const Json& body, Endpoint endpoint,
                                     const ParseOptions& options);

}  // namespace aictl::openai
