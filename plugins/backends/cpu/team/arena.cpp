#include "plugins/backends/cpu/team/arena.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "core/base/check.hpp"

namespace aictl::cpu {

constexpr size_t kHugePage = size_t{2} << 20;

Result<Arena> Arena::make(size_t bytes) {
  const Error exhausted{ErrorCode::kResourceExhausted,
                        fmt::format("{} bytes of memory are not to be had", bytes),
                        "use a smaller model, a shorter context or fewer KV blocks"};
  const auto machine =
      static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  if (bytes > machine) return exhausted;
  Arena arena;
  arena.bytes_ = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  arena.map_bytes_ = arena.bytes_ + kHugePage;  // to align, and a prefetch past the end is harmless
  void* map = mmap(nullptr, arena.map_bytes_, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (map == MAP_FAILED) return exhausted;
  arena.map_ = map;
  const auto address = reinterpret_cast<uintptr_t>(map);
  arena.data_ = static_cast<std::byte*>(map) + (kHugePage - address % kHugePage) % kHugePage;
  madvise(arena.data_, arena.bytes_, MADV_HUGEPAGE);  // advice: without it only slower
  return arena;
}

Arena::~Arena() {
  if (map_) munmap(map_, map_bytes_);
}

Arena::Arena(Arena&& other) noexcept { *this = std::move(other); }

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  std::swap(used_, other.used_);
  std::swap(map_, other.map_);
  std::swap(map_bytes_, other.map_bytes_);
  return *this;
}

std::byte* Arena::take(size_t bytes) {
  CHECK(taken(bytes) <= bytes_ - used_);
  std::byte* out = data_ + used_;
  used_ += taken(bytes);
  return out;
}

}  // namespace aictl::cpu
