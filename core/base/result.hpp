// Result<T>: a value or an Error. What std::expected will be; g++ 12 does not have it yet.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "core/base/error.hpp"

namespace aictl {

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by design
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return require_value(), *std::get_if<0>(&state_); }
  const T& value() const& { return require_value(), *std::get_if<0>(&state_); }
  T value() && { return require_value(), std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& { return *error_pointer(); }
  Error&& error() && { return std::move(*const_cast<Error*>(error_pointer())); }

 private:
  void require_value() const {
    if (!ok()) [[unlikely]]
      check_failed("a value, not an error", __FILE__, __LINE__);
  }
  const Error* error_pointer() const {
    if (ok()) [[unlikely]]
      check_failed("an error, not a value", __FILE__, __LINE__);
    return std::get_if<1>(&state_);
  }
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const& {
    require_error();
    return *error_;
  }
  Error&& error() && {
    require_error();
    return std::move(*error_);
  }

 private:
  void require_error() const {
    if (ok()) [[unlikely]]
      check_failed("an error, not a value", __FILE__, __LINE__);
  }
  std::optional<Error> error_;
};

}  // namespace aictl
