// What the bodies of all requests may take together, and the share of it that one of them holds.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace aictl::http {

/// Counts bytes up to a limit. Any thread.
class BodyBudget {
 public:
  explicit BodyBudget(uint64_t limit) : limit_(limit) {}

  /// Takes `bytes` if they are left.
  bool take(uint64_t bytes) {
    uint64_t taken = taken_.load();
    do {
      if (bytes > limit_ - taken) return false;
    } while (!taken_.compare_exchange_weak(taken, taken + bytes));
    return true;
  }
  void give(uint64_t bytes) { taken_.fetch_sub(bytes); }
  uint64_t taken() const { return taken_; }

 private:
  const uint64_t limit_;
  std::atomic<uint64_t> taken_{0};
};

inline constexpr uint64_t kFreeBytes = 64 << 10;

/// One body's share; given back when it goes. One thread at a time.
class BodyLease {
 public:
  BodyLease() = default;
  explicit BodyLease(std::shared_ptr<BodyBudget> budget) : budget_(std::move(budget)) {}
  BodyLease(BodyLease&& other) noexcept
      : budget_(std::move(other.budget_)), bytes_(std::exchange(other.bytes_, 0)) {}
  BodyLease& operator=(BodyLease&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~BodyLease() {
    if (bytes_ > 0) budget_->give(bytes_);
  }

  /// Makes it `bytes` in all; false, and nothing changes, when they are not left. Without a budget
  /// there is no limit. Small bodies are free: a few large ones never turn them away, and the limit
  /// on connections bounds them.
  bool resize(uint64_t bytes) {
    if (!budget_) return true;
    if (bytes <= kFreeBytes) bytes = 0;
    if (bytes > bytes_ && !budget_->take(bytes - bytes_)) return false;
    if (bytes < bytes_) budget_->give(bytes_ - bytes);
    bytes_ = bytes;
    return true;
  }
  uint64_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<BodyBudget>
      budget_;  // shared with the server and all bodies, which may outlive it
  uint64_t bytes_ = 0;
};

}  // namespace aictl::http
