#include "core/manifest/rules/fields/shapes.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "core/manifest/check/formats.hpp"
#include "core/manifest/quantity.hpp"
#include "core/manifest/rules/names.hpp"

namespace aictl::manifest::shape {
namespace {

template <typename Is>
std::string text(const Json& value, Is is, std::string_view what) {
  if (!value.is_string()) return "";
  const std::string& text = value.get_ref<const std::string&>();
  return is(text) ? "" : fmt::format("'{}' is not {}", text, what);
}

bool has_backstep(std::string_view path) {
  while (!path.empty()) {
    const size_t slash = path.find('/');
    if (path.substr(0, slash) == "..") return true;
    if (slash == path.npos) return false;
    path.remove_prefix(slash + 1);
  }
  return false;
}

bool is_address(const std::string& text) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, text.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

bool is_header_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::string amount(const Json& value, int64_t least, std::string_view what) {
  const auto quantity = quantity_of(value);
  if (!quantity || quantity->nano > 0 || (quantity->nano == 0 && least == 0)) return "";
  return fmt::format("{} is {}", value.is_string() ? value.get<std::string>() : dump_json(value),
                     what);
}

}  // namespace

std::string label(const Json& value, std::string_view) {
  return text(value, is_dns_label, "a valid name: at most 63 of a-z, 0-9 and -");
}
std::string name(const Json& value, std::string_view) {
  return text(value, is_dns_name, "a valid name: a-z, 0-9, - and .");
}
std::string service_name(const Json& value, std::string_view) {
  return text(value, is_service_name, "a valid name of a Service");
}
std::string port_name(const Json& value, std::string_view) {
  return text(value, is_port_name, "a valid port name");
}
std::string qualified(const Json& value, std::string_view) {
  return text(value, is_label_key, "a valid [prefix/]name");
}
std::string label_value(const Json& value, std::string_view) {
  return text(value, is_label_value, "a valid label value");
}
std::string config_key(const Json& value, std::string_view) {
  return text(value, is_config_key, "a valid key");
}
std::string variable(const Json& value, std::string_view) {
  return text(value, is_variable_name, "a valid variable name: printable ASCII without =");
}
std::string header(const Json& value, std::string_view) {
  return text(value, is_header_name, "the name of an HTTP header");
}
std::string host(const Json& value, std::string_view) {
  return text(
      value,
      [](const std::string& host) {
        return !is_address(host) &&
               is_dns_name(host.starts_with("*.") ? std::string_view(host).substr(2)
                                                  : std::string_view(host));
      },
      "a DNS name, *. before it or not");
}

std::string word(const Json& value, std::string_view argument) {
  if (!value.is_string()) return "";
  const std::string& text = value.get_ref<const std::string&>();
  for (std::string_view rest = argument; !rest.empty();) {
    const size_t blank = rest.find(' ');
    if (rest.substr(0, blank) == text) return "";
    rest.remove_prefix(blank == rest.npos ? rest.size() : blank + 1);
  }
  return fmt::format("'{}' is not one of {}", text, argument);
}

std::string relative(const Json& value, std::string_view) {
  return text(
      value, [](std::string_view path) { return !path.starts_with('/') && !has_backstep(path); },
      "a relative path without ..");
}
std::string upward(const Json& value, std::string_view) {
  return text(
      value, [](std::string_view path) { return !has_backstep(path); }, "a path without ..");
}
std::string absolute(const Json& value, std::string_view) {
  return text(
      value, [](std::string_view path) { return path.starts_with('/'); }, "an absolute path");
}
std::string address(const Json& value, std::string_view) {
  return text(value, is_address, "an IP address");
}
std::string cidr(const Json& value, std::string_view) {
  return has_format(value, "cidr") ? ""
                                   : text(
                                         value, [](const std::string&) { return false; },
                                         "a CIDR block, such as 10.0.0.0/8");
}

std::string within(const Json& value, std::string_view argument) {
  if (!value.is_number_integer()) return "";
  const size_t dots = argument.find("..");
  int64_t least = 0, most = std::numeric_limits<int64_t>::max();
  std::from_chars(argument.data(), argument.data() + dots, least);
  std::from_chars(argument.data() + dots + 2, argument.data() + argument.size(), most);
  const auto number = value.get<int64_t>();
  if (number >= least && number <= most) return "";
  if (most == std::numeric_limits<int64_t>::max())
    return fmt::format("{} is below the minimum {}", number, least);
  return fmt::format("{} is not in {}", number, argument);
}

std::string port(const Json& value, std::string_view) {
  if (!value.is_number_integer()) return "";
  const auto number = value.get<int64_t>();
  return number >= 1 && number <= 65535 ? "" : fmt::format("{} is not a port number", number);
}

std::string port_or_name(const Json& value, std::string_view argument) {
  return value.is_string() ? port_name(value, argument) : port(value, argument);
}

std::string above_zero(const Json& value, std::string_view) {
  return amount(value, 1, "not above zero");
}
std::string from_zero(const Json& value, std::string_view) {
  return amount(value, 0, "below zero");
}
std::string size(const Json& value, std::string_view) {
  const auto quantity = quantity_of(value);
  if (quantity && quantity->nano > 0 && !quantity->is_whole())
    return fmt::format("{} is not a whole number of bytes",
                       value.is_string() ? value.get<std::string>() : dump_json(value));
  return above_zero(value, "");
}

std::string share(const Json& value, std::string_view argument) {
  if (value.is_number_integer())
    return value.get<int64_t>() >= 0 ? ""
                                     : fmt::format("{} is neither a number from 0 nor a percentage",
                                                   value.get<int64_t>());
  if (!value.is_string()) return "";
  const std::string& text = value.get_ref<const std::string&>();
  const bool percent =
      text.size() >= 2 && text.back() == '%' &&
      std::all_of(text.begin(), text.end() - 1, [](char c) { return c >= '0' && c <= '9'; });
  if (!percent) return fmt::format("'{}' is neither a number from 0 nor a percentage", text);
  const bool over = text.size() > 4 || std::stoi(text) > 100;
  return over && argument == "100%" ? fmt::format("{} is over 100%", text) : "";
}

}  // namespace aictl::manifest::shape
