#include "core/manifest/rules/names.hpp"

#include <algorithm>

namespace aictl::manifest {
namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_plain(char c) { return is_lower(c) || is_digit(c); }
bool is_alphanumeric(char c) { return is_plain(c) || (c >= 'A' && c <= 'Z'); }

// `inner` everywhere, letters and digits (`outer`) at both ends.
template <typename Inner, typename Outer>
bool shaped(std::string_view name, size_t longest, Inner inner, Outer outer) {
  return !name.empty() && name.size() <= longest && outer(name.front()) && outer(name.back()) &&
         std::ranges::all_of(name, inner);
}

bool is_qualified_part(std::string_view name) {
  return shaped(
      name, 63, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; },
      is_alphanumeric);
}

}  // namespace

bool is_dns_label(std::string_view name) {
  return shaped(
      name, 63, [](char c) { return is_plain(c) || c == '-'; }, is_plain);
}

bool is_dns_name(std::string_view name) {
  if (name.size() > 253) return false;
  for (;;) {
    const size_t dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    if (!shaped(
            label, 253, [](char c) { return is_plain(c) || c == '-'; }, is_plain))
      return false;
    if (dot == name.npos) return true;
    name.remove_prefix(dot + 1);
  }
}

bool is_service_name(std::string_view name) { return is_dns_label(name) && is_lower(name.front()); }

bool is_port_name(std::string_view name) {
  return is_dns_label(name) && name.size() <= 15 && name.find("--") == name.npos &&
         std::ranges::any_of(name, is_lower);
}

bool is_label_key(std::string_view key) {
  const size_t slash = key.find('/');
  if (slash == key.npos) return is_qualified_part(key);
  return is_dns_name(key.substr(0, slash)) && is_qualified_part(key.substr(slash + 1));
}

bool is_label_value(std::string_view value) { return value.empty() || is_qualified_part(value); }

bool is_config_key(std::string_view key) {
  return !key.empty() && key.size() <= 253 && key != "." && !key.starts_with("..") &&
         std::ranges::all_of(
             key, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

bool is_variable_name(std::string_view name) {
  return !name.empty() &&
         std::ranges::all_of(name, [](char c) { return c >= ' ' && c < 127 && c != '='; });
}

}  // namespace aictl::manifest
