// Names of objects that are made from names people chose: valid everywhere, and always the same.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace aictl::platform {

inline constexpr size_t kLabelLength = 63;     // a DNS label: namespaces, services
inline constexpr size_t kWorkloadLength = 52;  // leaves room for what controllers append to pods
inline constexpr size_t kPortLength = 15;

/// `text` as a DNS label that starts with a letter: lower case, each run of other characters a dash
/// ("Qwen/Qwen2.5-7B" -> "qwen-qwen2-5-7b"), cut to `limit` as derived_name cuts. `prefix` stands
/// before what does not start with a letter, and a hash is the name of what has none left.
std::string slug(std::string_view text, size_t limit = kWorkloadLength,
                 std::string_view prefix = "m");

/// `base`-`suffix`, at most `limit` characters. What is too long is cut, and eight hexadecimal
/// digits of a hash of the whole take the place of the rest, so that different inputs keep
/// different names. The suffix stays whole; it is at most `limit` - 10 long.
std::string derived_name(std::string_view base, std::string_view suffix,
                         size_t limit = kLabelLength);

/// Whether `text` is a DNS label of at most `limit` characters.
bool is_label(std::string_view text, size_t limit = kLabelLength);
/// A label that starts with a letter, as Services want.
bool is_service_label(std::string_view text, size_t limit = kLabelLength);
/// Labels joined by dots, 253 characters in all: most objects' names.
bool is_subdomain(std::string_view text);

}  // namespace aictl::platform
