// The loop: libevent's base, an eventfd to wake it, a second one for signal handlers.
#include "core/http/net/loop.hpp"

#include "core/telemetry/log.hpp"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace aictl::http {
namespace {

void signal_eventfd(int fd) noexcept {
  const uint64_t one = 1;
  const ssize_t written = write(fd, &one, sizeof one);
  static_cast<void>(written);  // EAGAIN: the counter is full, so the loop will wake anyway
}

void clear_eventfd(int fd) {
  uint64_t count = 0;
  const ssize_t got = read(fd, &count, sizeof count);
  static_cast<void>(got);  // EAGAIN: woken from inside
}

}  // namespace

Result<std::shared_ptr<Loop>> Loop::create(std::string name) {
  std::shared_ptr<Loop> loop(
      new Loop(std::move(name)));  // shared by server, connections, exchanges
  loop->wake_fd_ = Fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  loop->notify_fd_ = Fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!loop->wake_fd_ || !loop->notify_fd_) return errno_error("creating an eventfd", errno);
  event_config* config = event_config_new();
  if (config != nullptr) {
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);  // only the loop's thread touches it
    event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
    loop->base_ = event_base_new_with_config(config);
    event_config_free(config);
  }
  if (loop->base_ == nullptr) return Error{ErrorCode::kIo, "creating an event loop failed", ""};
  loop->wake_event_ =
      event_new(loop->base_, loop->wake_fd_.get(), EV_READ | EV_PERSIST, on_wake, loop.get());
  loop->notify_event_ =
      event_new(loop->base_, loop->notify_fd_.get(), EV_READ | EV_PERSIST, on_signal, loop.get());
  if (loop->wake_event_ == nullptr || loop->notify_event_ == nullptr ||
      event_add(loop->wake_event_, nullptr) != 0 || event_add(loop->notify_event_, nullptr) != 0)
    return Error{ErrorCode::kIo, "watching an eventfd failed", ""};
  return loop;
}

Loop::~Loop() {
  stop();
  if (wake_event_ != nullptr) event_free(wake_event_);
  if (notify_event_ != nullptr) event_free(notify_event_);
  if (base_ != nullptr) event_base_free(base_);
}

void Loop::run() {
  // The loop's thread takes no signals: they belong to the main thread; SIGPIPE becomes EPIPE.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::jthread([this] {
    thread_id_ = std::this_thread::get_id();
    pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
    event_base_loop(base_, EVLOOP_NO_EXIT_ON_EMPTY);
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Loop::stop() {
  if (thread_.joinable()) {
    post([this] { event_base_loopexit(base_, nullptr); });
    thread_.join();
  }
  std::vector<std::function<void()>> dropped;
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
    dropped.swap(tasks_);
  }
}

bool Loop::post(std::function<void()> task) {
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    if (ended_) return false;
    first = tasks_.empty();
    tasks_.push_back(std::move(task));
  }
  if (!first) return true;
  if (on_thread())
    event_active(wake_event_, EV_TIMEOUT, 0);  // no system call needed
  else
    signal_eventfd(wake_fd_.get());
  return true;
}

void Loop::notify() noexcept { signal_eventfd(notify_fd_.get()); }

void Loop::on_wake(int fd, short what, void* self) {
  if ((what & EV_READ) != 0) clear_eventfd(fd);
  static_cast<Loop*>(self)->run_tasks();
}

void Loop::on_signal(int fd, short, void* self) {
  clear_eventfd(fd);
  auto* loop = static_cast<Loop*>(self);
  if (loop->on_notify_) loop->on_notify_();
}

// One round: what the tasks post comes in the next, so that sockets are not starved.
void Loop::run_tasks() {
  {
    std::lock_guard lock(mutex_);
    running_.swap(tasks_);
  }
  for (auto& task : running_) {
    try {
      task();
    } catch (const std::exception& error) {  // what the task held goes; the loop goes on
      log::error("a task of a loop failed", {{"loop", name_}, {"why", error.what()}});
    }
  }
  running_.clear();
}

}  // namespace aictl::http
