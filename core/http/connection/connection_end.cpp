// How a connection ends, and how a client that has gone is told from one that only sends no more.
// Both look alike to a TCP socket until something is written: a peer that has closed answers with a
// reset, one that has shut down its sending side reads it. So who ends its side with an answer
// outstanding is written to: "100 Continue", which every client of HTTP/1.1 skips (RFC 9110, 15.2),
// or the comment of its stream. Where there is nothing to write (HTTP/1.0, a stream without
// comments, TLS, whose ends close both ways) the end is taken for the client's own.
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "core/http/connection/connection.hpp"

namespace aictl::http {
namespace {

// Whether the socket is closed both ways, or was reset.
bool hung_up(int fd) {
  pollfd watched{fd, 0, 0};
  return poll(&watched, 1, 0) > 0 && (watched.revents & (POLLHUP | POLLERR)) != 0;
}

}  // namespace

void Connection::on_hangup(int, short, void* self) {
  const auto keep = static_cast<Connection*>(self)->shared_from_this();
  if (!keep->ask_whether_there()) return keep->destroy();
  keep->flush();
  if (keep->alive_) keep->arm_timer();
}

void Connection::on_reset(int fd, short, void* self) {
  if (!hung_up(fd)) return;
  const auto keep = static_cast<Connection*>(self)->shared_from_this();
  keep->destroy();
}

// The client sends no more; all it sent has been read.
void Connection::on_end(bool clean) {
  if (!alive_) return;
  if (!clean || lingering_) return destroy();
  ended_ = true;
  if (!ask_whether_there()) return destroy();
  process_input();  // closes once nothing is left to answer
  if (alive_) flush();
  if (alive_) arm_timer();
}

// False when the client has gone, or nothing can tell. Otherwise a reset will.
bool Connection::ask_whether_there() {
  const int fd = bufferevent_getfd(transport_);
  if (hung_up(fd)) return false;
  if (slots_.empty()) return true;
  Slot& head = *slots_.front();
  const bool streams = head.head_written && head.keep_alive.interval.count() > 0;
  if (tls_ || (!streams && (head.head_written || head.request.minor_version == 0))) return false;
  if (!watch_reset(fd)) return false;
  const Time time = std::chrono::steady_clock::now();
  if (ask_again_ != Time::max() && time + std::chrono::milliseconds(1) < ask_again_) return true;
  ask_again_ = time + options_.ask_interval;
  if (pending_output() > 0) return true;  // that will tell
  if (streams)
    write_comment(head);
  else
    write_continue();
  return true;
}

// Edge-triggered, for the end itself makes the socket readable forever; on a descriptor of its own,
// because the transport's is watched the other way.
bool Connection::watch_reset(int fd) {
  if (reset_ != nullptr) return true;
  reset_fd_ = Fd(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!reset_fd_) return false;
  ++worker_.shared().watches;
  reset_ = event_new(worker_.loop()->base(), reset_fd_.get(), EV_READ | EV_ET | EV_PERSIST,
                     on_reset, this);
  return reset_ != nullptr && event_add(reset_, nullptr) == 0;
}

// Reading stops when much waits to be parsed; the end of the connection must be noticed all the
// same.
void Connection::watch_hangup() {
  const bool suspended =
      !ended_ && evbuffer_get_length(bufferevent_get_input(transport_)) >= kReadHighWater;
  if (!suspended && hangup_ != nullptr) {
    event_free(hangup_);
    hangup_ = nullptr;
  } else if (suspended && hangup_ == nullptr) {
    hangup_ = event_new(worker_.loop()->base(), bufferevent_getfd(transport_), EV_CLOSED, on_hangup,
                        this);
    if (hangup_ != nullptr) event_add(hangup_, nullptr);
  }
}

// Who has asked already, if only the kernel knows, gets an answer; and so does who has just come
// and is about to ask.
void Connection::begin_drain() {
  int unread = 0;
  ioctl(bufferevent_getfd(transport_), FIONREAD, &unread);
  if (idle() && unread == 0 && requests_ > 0) return destroy();
  arm_timer();
}

void Connection::abort() { destroy(); }

void Connection::destroy() {
  if (!alive_) return;
  alive_ = false;
  const auto keep = shared_from_this();
  if (hangup_ != nullptr) event_free(hangup_);
  hangup_ = nullptr;
  if (reset_ != nullptr) event_free(reset_);
  reset_ = nullptr;
  if (reset_fd_) --worker_.shared().watches;
  reset_fd_ = Fd();
  event_del(timer_);
  evbuffer_remove_cb(bufferevent_get_output(transport_), on_output, this);
  bufferevent_setcb(transport_, nullptr, nullptr, nullptr, nullptr);
  bufferevent_disable(transport_, EV_READ | EV_WRITE);
  bufferevent_free(transport_);
  transport_ = nullptr;
  while (!slots_.empty()) {
    const auto slot = slots_.front();
    slots_.pop_front();
    uncount(*slot);
    report(*slot, 499);
    slot->close();
  }
  worker_.remove(this);
}

}  // namespace aictl::http
