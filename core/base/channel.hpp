// Channel<T>: the bounded, closable queue by which threads talk. Any number of senders and
// receivers.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace aictl {

template <typename T>
class Channel {
 public:
  explicit Channel(size_t capacity) : capacity_(capacity) {}

  /// Takes `value` unless the channel is full or closed; returns whether it did. Never waits.
  bool try_send(T value) {
    {
      std::lock_guard lock(mutex_);
      if (closed_ || queue_.size() >= capacity_) return false;
      queue_.push_back(std::move(value));
    }
    readable_.notify_one();
    return true;
  }

  /// The next value without waiting; nullopt when there is none.
  std::optional<T> try_receive() {
    std::lock_guard lock(mutex_);
    return pop();
  }

  /// Waits for a value; nullopt once the channel is closed and empty, or `stop` was requested.
  std::optional<T> receive(std::stop_token stop = {}) {
    std::unique_lock lock(mutex_);
    readable_.wait(lock, stop, [this] { return closed_ || !queue_.empty(); });
    return pop();
  }

  /// No more values are taken; receivers drain what is there. Idempotent.
  void close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    readable_.notify_all();
  }

  size_t size() const {
    std::lock_guard lock(mutex_);
    return queue_.size();
  }

 private:
  std::optional<T> pop() {
    if (queue_.empty()) return std::nullopt;
    std::optional<T> value(std::move(queue_.front()));
    queue_.pop_front();
    return value;
  }

  const size_t capacity_;
  mutable std::mutex mutex_;  // guards queue_ and closed_
  std::condition_variable_any readable_;
  std::deque<T> queue_;
  bool closed_ = false;
};

}  // namespace aictl
