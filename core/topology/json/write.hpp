// Values of a Topology to JSON, by the lists of fields.hpp.
#pragma once

#include "core/topology/json/fields.hpp"
#include "core/value/json.hpp"

namespace aictl::topology {

/// The words of CacheType, by value.
inline constexpr std::string_view kCacheTypeWords[] = {"unified", "data", "instruction"};

inline std::string_view word(CacheType type) { return kCacheTypeWords[size_t(type)]; }

inline Json write(const Bitset& set) { return set.list(); }
inline Json write(const PciAddress& address) { return address.text(); }
inline Json write(const std::string& text) { return text; }

template <Number T>
Json write(T value) {
  return value;
}

template <Word T>
Json write(T value) {
  return word(value);
}

inline Json write(const std::pair<std::string, std::string>& info) {
  return Json::array({info.first, info.second});
}

inline Json write(const std::map<std::string, std::string>& rows) {
  Json tree = Json::object();
  for (const auto& [key, value] : rows) tree[key] = value;
  return tree;
}

template <typename T>
Json write(const std::vector<T>& list);

/// Writes the fields of `value` into an object.
template <typename T>
class FieldWriter {
 public:
  FieldWriter(const T& value, Json& out) : value_(value), out_(out) {}

  template <typename Member>
  void operator()(const char* key, Member T::*member);

  template <typename Member>
  void always(const char* key, Member T::*member);

 private:
  const T& value_;
  Json& out_;
};

/// A struct as an object of its fields.
template <Described T>
Json write(const T& value) {
  Json tree = Json::object();
  FieldWriter<T> writer(value, tree);
  describe(writer, Of<T>{});
  return tree;
}

template <typename T>
Json write(const std::vector<T>& list) {
  Json tree = Json::array();
  for (const T& element : list) tree.push_back(write(element));
  return tree;
}

template <typename T>
constexpr bool kIsOptional = false;
template <typename T>
constexpr bool kIsOptional<std::optional<T>> = true;

template <typename T>
template <typename Member>
void FieldWriter<T>::operator()(const char* key, Member T::*member) {
  if constexpr (kIsOptional<Member>) {
    if (value_.*member) out_[key] = write(*(value_.*member));
  } else {
    static const T defaults{};
    if (value_.*member != defaults.*member) out_[key] = write(value_.*member);
  }
}

template <typename T>
template <typename Member>
void FieldWriter<T>::always(const char* key, Member T::*member) {
  out_[key] = write(value_.*member);
}

}  // namespace aictl::topology
