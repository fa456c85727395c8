// The clock of a connection: one timer, re-armed only when a deadline comes earlier than it is set
// for, so that the common request costs no timer call.
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/http/connection/connection.hpp"

namespace aictl::http {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr size_t kBodyBytesPerSecond = 16 << 10;  // a body that comes slower runs out of time

constexpr milliseconds kDrainGrace{1000};  // to begin a request once draining has begun

Time now() { return std::chrono::steady_clock::now(); }

}  // namespace

bool Connection::idle() const {
  return slots_.empty() && !parser_.started() && pending_output() == 0 &&
         evbuffer_get_length(bufferevent_get_input(transport_)) == 0;
}

// When the rest of a head or body must be there, also behind exchanges that run. Time in which we
// do not read is not the client's.
Time Connection::reading_deadline() const {
  if (!parser_.started() || discard_input_ || ended_ || held_back_ || continue_waits_)
    return Time::max();
  if (!parser_.has_head()) return phase_start_ + options_.header_timeout;
  const size_t grace = parser_.request().body.size() / kBodyBytesPerSecond;
  return std::min(phase_start_ + options_.body_timeout + std::chrono::seconds(grace),
                  last_input_ + options_.body_timeout);  // fast bytes earn no long silence
}

Time Connection::next_deadline() const {
  if (lingering_) return linger_until_;
  Time deadline = reading_deadline();
  if (pending_output() > 0) deadline = std::min(deadline, last_progress_ + options_.write_timeout);
  if (!slots_.empty()) {
    const Slot& head = *slots_.front();
    if (!head.head_written) return std::min(deadline, ask_again_);
    if (!head.done && head.keep_alive.interval.count() > 0)
      deadline = std::min(deadline, head.last_write + head.keep_alive.interval);
    return deadline;
  }
  if (pending_output() > 0 || parser_.started()) return deadline;
  if (!handshaken_) return phase_start_ + options_.header_timeout;
  return phase_start_ + (worker_.shared().draining ? std::min(options_.idle_timeout, kDrainGrace)
                                                   : options_.idle_timeout);
}

void Connection::arm_timer() {
  if (!alive_) return;
  const Time deadline = next_deadline();
  if (deadline >= armed_for_) return;
  const auto wait = std::max(duration_cast<microseconds>(deadline - now()), microseconds(0));
  timeval interval{};
  interval.tv_sec = static_cast<time_t>(wait.count() / 1'000'000);
  interval.tv_usec = static_cast<suseconds_t>(wait.count() % 1'000'000);
  armed_for_ = deadline;
  event_add(timer_, &interval);
}

void Connection::on_timer(int, short, void* self) {
  const auto keep = static_cast<Connection*>(self)->shared_from_this();
  keep->armed_for_ = Time::max();
  keep->check_deadlines();
  if (keep->alive_) keep->arm_timer();
}

void Connection::check_deadlines() {
  // The kernel's timer may be a little early by our clock.
  const Time time = now() + milliseconds(1);
  if (time < next_deadline()) return;
  if (lingering_) return destroy();
  if (pending_output() > 0 && time >= last_progress_ + options_.write_timeout) return destroy();
  if (time >= reading_deadline()) {
    answer_error(408, parser_.has_head() ? "the body took too long" : "the request took too long");
    return flush();
  }
  if (!slots_.empty()) {
    Slot& head = *slots_.front();
    if (!head.head_written) {
      if (!ask_whether_there()) return destroy();
      return flush();
    }
    if (head.keep_alive.interval.count() == 0) return;
    head.last_write = time;
    if (pending_output() > 0) return;  // the reader is behind: the write timeout judges it
    write_comment(head);
    return flush();
  }
  destroy();
}

}  // namespace aictl::http
