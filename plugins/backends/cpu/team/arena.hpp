// Memory that lives as long as a model: one anonymous map on 2 MiB pages where the system has them,
// handed out from front to back. Untouched pages take no memory, and belong to whoever touches them
// first.
#pragma once

#include <cstddef>

#include "core/base/result.hpp"

namespace aictl::cpu {

class Arena {
 public:
  Arena() = default;
  /// Errors: kResourceExhausted.
  static Result<Arena> make(size_t bytes);
  ~Arena();
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;

  /// Zeroed, aligned to 64 bytes, valid for the life of the arena. The sum of what is taken must
  /// not exceed what was made.
  std::byte* take(size_t bytes);
  template <typename T>
  T* take_array(size_t count) {
    return reinterpret_cast<T*>(take(count * sizeof(T)));
  }
  size_t bytes() const { return bytes_; }

  /// What `take` will use of the arena for `bytes`.
  static constexpr size_t taken(size_t bytes) { return (bytes + 63) / 64 * 64; }

 private:
  std::byte* data_ = nullptr;
  size_t bytes_ = 0, used_ = 0;
  void* map_ = nullptr;
  size_t map_bytes_ = 0;
};

}  // namespace aictl::cpu
