// The shapes single values have to have, as functions a row of a table can name. Source: the
// validation packages of k8s.io/apimachinery and k8s.io/kubernetes.
#pragma once

#include <string>
#include <string_view>

#include "core/value/json.hpp"

namespace aictl::manifest::shape {

/// Each says what is wrong with `value`, "" when nothing is: values of another type are the
/// structural check's to report. `argument` is the row's.

std::string label(const Json& value, std::string_view);         // RFC 1123, 63 characters
std::string name(const Json& value, std::string_view);          // labels joined by dots
std::string service_name(const Json& value, std::string_view);  // begins with a letter
std::string port_name(const Json& value, std::string_view);
std::string qualified(const Json& value, std::string_view);  // [prefix/]name
std::string label_value(const Json& value, std::string_view);
std::string config_key(const Json& value, std::string_view);
std::string variable(const Json& value, std::string_view);
std::string header(const Json& value, std::string_view);  // the name of an HTTP header
std::string host(const Json& value, std::string_view);    // a name, *. before it or not; no address
/// One of the words in `argument`, which are parted by blanks.
std::string word(const Json& value, std::string_view argument);

std::string relative(const Json& value, std::string_view);  // a path that stays below its place
std::string upward(const Json& value, std::string_view);    // a path without ..
std::string absolute(const Json& value, std::string_view);  // begins with /
std::string address(const Json& value, std::string_view);   // IPv4 or IPv6
std::string cidr(const Json& value, std::string_view);

/// An integer within `argument`: "1..100", "0..".
std::string within(const Json& value, std::string_view argument);
std::string port(const Json& value, std::string_view);          // 1..65535
std::string port_or_name(const Json& value, std::string_view);  // or the name of one
/// A quantity above zero; at least zero; above zero and whole.
std::string above_zero(const Json& value, std::string_view);
std::string from_zero(const Json& value, std::string_view);
std::string size(const Json& value, std::string_view);
/// A number from 0, or a percentage up to 100 ("100%" in `argument`: any percentage else).
std::string share(const Json& value, std::string_view argument);

}  // namespace aictl::manifest::shape
