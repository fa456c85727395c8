// One event loop on its own named thread, with a queue by which other threads hand it work.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/base/file.hpp"
#include "core/base/result.hpp"

struct event_base;
struct event;

namespace aictl::http {

class Loop {
 public:
  /// Makes the loop; its thread begins with run(). Errors: kIo.
  static Result<std::shared_ptr<Loop>> create(std::string name);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Starts the thread. Once.
  void run();
  /// Runs what is queued, ends the loop and joins. Idempotent; not from the loop's thread. Tasks
  /// posted later are dropped.
  void stop();

  /// Runs `task` on the loop thread, in the order of posting. Any thread; false (and `task` is
  /// dropped) once the loop has ended.
  bool post(std::function<void()> task);
  /// Makes the loop call `on_notify`. Async-signal-safe.
  void notify() noexcept;
  void set_on_notify(std::function<void()> callback) { on_notify_ = std::move(callback); }

  bool on_thread() const { return std::this_thread::get_id() == thread_id_.load(); }
  /// For the loop's thread, or before run().
  event_base* base() { return base_; }

 private:
  explicit Loop(std::string name) : name_(std::move(name)) {}
  static void on_wake(int fd, short what, void* self);
  static void on_signal(int fd, short what, void* self);
  void run_tasks();

  std::string name_;
  event_base* base_ = nullptr;
  event* wake_event_ = nullptr;
  event* notify_event_ = nullptr;
  Fd wake_fd_;
  Fd notify_fd_;
  std::function<void()> on_notify_;
  std::jthread thread_;
  std::atomic<std::thread::id> thread_id_;

  std::mutex mutex_;  // guards tasks_ and ended_
  std::vector<std::function<void()>> tasks_;
  bool ended_ = false;
  std::vector<std::function<void()>> running_;  // loop thread only; kept for its memory
};

}  // namespace aictl::http
