// The writing half of a connection: responses in the order of their requests, corked, and how a
// connection ends.
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "core/http/connection/connection.hpp"
#include "core/http/connection/response_head.hpp"

namespace aictl::http {
namespace {

constexpr size_t kCopyBelow = 16 << 10;  // longer bodies are handed over instead of copied

Time now() { return std::chrono::steady_clock::now(); }

void drop_string(const void*, size_t, void* owner) { delete static_cast<std::string*>(owner); }

void append(evbuffer* target, std::string bytes) {
  if (bytes.size() < kCopyBelow) {
    evbuffer_add(target, bytes.data(), bytes.size());
    return;
  }
  auto owner = std::make_unique<std::string>(std::move(bytes));
  if (evbuffer_add_reference(target, owner->data(), owner->size(), drop_string, owner.get()) == 0)
    owner.release();  // the buffer deletes it when it is sent
}

}  // namespace

void Connection::collect(Slot& slot) {
  if (!alive_ || slot.done) return;
  const auto keep = shared_from_this();
  write_outbox(slot, slot.take());
  if (!alive_) return;
  if (slots_.front().get() != &slot) {
    slot.set_downstream(slot.early != nullptr ? evbuffer_get_length(slot.early) : 0);
    return;
  }
  pop_done_slots();
  if (alive_ && !processing_) {
    process_input();  // there may be room for the next requests; flushes
    if (alive_) arm_timer();
  }
}

void Connection::write_outbox(Slot& slot, Outbox box) {
  evbuffer* target = out_;
  if (slots_.front().get() != &slot) {
    if (slot.early == nullptr) slot.early = evbuffer_new();
    target = slot.early;
  }
  if (box.aborted || target == nullptr) return destroy();
  if (box.abandoned) {
    box.head =
        worker_.shared().error(500, "the request was dropped without an answer", slot.request);
    for (const Header& field : box.extra) box.head->headers.set(field.name, field.value);
    box.finished = true;
  }
  if (box.head) {
    slot.keep_alive = std::move(box.keep_alive);
    write_head(slot, std::move(*box.head), box.stream, target);
  }
  if (!box.body.empty()) write_stream(slot, std::move(box.body), target);
  if (!box.finished) return;
  if (slot.chunked) evbuffer_add(target, "0\r\n\r\n", 5);
  slot.done = true;
}

void Connection::write_head(Slot& slot, Response head, bool stream, evbuffer* target) {
  const Request& request = slot.request;
  const bool bodiless_status = head.status == 204 || head.status == 304 || head.status < 200;
  const bool is_last = slots_.back().get() == &slot;
  slot.status = head.status;
  slot.head_written = true;
  slot.no_body = bodiless_status || request.method == "HEAD";
  slot.chunked = stream && !slot.no_body && request.minor_version == 1;
  slot.close_after = slot.close_after || (stream && !slot.no_body && request.minor_version == 0) ||
                     (worker_.shared().draining && is_last) ||
                     head.headers.has_token("connection", "close");
  if (slot.close_after) discard_input_ = true;
  ResponseFraming framing;
  if (!stream && !bodiless_status) framing.length = head.body.size();
  framing.chunked = stream && !bodiless_status && request.minor_version == 1;
  framing.close = slot.close_after;
  framing.say_keep_alive = request.minor_version == 0;
  std::string bytes;
  bytes.reserve(512);
  append_response_head(bytes, head.status, head.headers, framing, worker_.date());
  const bool with_body = !stream && !slot.no_body;
  if (with_body) slot.sent += head.body.size();
  if (with_body && bytes.size() + head.body.size() < kCopyBelow) bytes += head.body;
  const bool body_apart = with_body && bytes.size() + head.body.size() >= kCopyBelow;
  append(target, std::move(bytes));
  if (body_apart) append(target, std::move(head.body));
  slot.last_write = now();
}

void Connection::write_stream(Slot& slot, std::string bytes, evbuffer* target) {
  slot.sent += bytes.size();
  if (slot.no_body) return;
  slot.last_write = now();
  if (slot.chunked) {
    char line[20];
    const char* end = fmt::format_to(line, "{:x}\r\n", bytes.size());
    evbuffer_add(target, line, static_cast<size_t>(end - line));
  }
  append(target, std::move(bytes));
  if (slot.chunked) evbuffer_add(target, "\r\n", 2);
}

void Connection::report(const Slot& slot, int status) {
  if (options_.on_access)
    options_.on_access({slot.request, status, slot.sent, now() - slot.started});
}

void Connection::uncount(const Slot& slot) {
  Shared& shared = worker_.shared();
  --shared.exchanges;
  if (slot.before_drain && --shared.older_exchanges == 0 && shared.draining)
    shared.on_older_through();
}

void Connection::pop_done_slots() {
  while (alive_ && !slots_.empty() && slots_.front()->done) {
    const auto slot = slots_.front();
    slots_.pop_front();
    uncount(*slot);
    report(*slot, slot->status);
    slot->complete();
    phase_start_ = now();
    if (slot->close_after) {
      while (!slots_.empty()) {  // pipelined behind the last one that is answered
        const auto unanswered = slots_.front();
        slots_.pop_front();
        uncount(*unanswered);
        report(*unanswered, 499);
        unanswered->close();
      }
      close_after_flush_ = true;
      break;
    }
    if (slots_.empty()) {
      if (worker_.shared().draining && !parser_.started())
        close_after_flush_ = discard_input_ = true;
      send_continue();
      break;
    }
    Slot& next = *slots_.front();
    if (next.early != nullptr) evbuffer_add_buffer(out_, next.early);
    next.last_write = phase_start_;
  }
}

void Connection::send_continue() {
  if (!continue_waits_ || !slots_.empty()) return;
  continue_waits_ = false;
  continue_sent_ = true;
  phase_start_ = last_input_ = now();  // from here on it is the client who is waited for
  write_continue();
}

void Connection::write_continue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  evbuffer_add(out_, kContinue.data(), kContinue.size());
}

// Not part of the answer: it does not count as sent.
void Connection::write_comment(Slot& slot) {
  const uint64_t sent = slot.sent;
  write_stream(slot, slot.keep_alive.bytes, out_);
  slot.sent = sent;
}

size_t Connection::pending_output() const {
  return evbuffer_get_length(out_) + evbuffer_get_length(bufferevent_get_output(transport_));
}

// Writes what is corked. A plain socket is tried at once, which saves two system calls and a turn
// of the loop for most responses; what it does not take waits in the transport.
void Connection::flush() {
  if (!alive_) return;
  evbuffer* waiting = bufferevent_get_output(transport_);
  if (evbuffer_get_length(out_) > 0) {
    if (evbuffer_get_length(waiting) == 0) last_progress_ = now();
    while (!tls_ && evbuffer_get_length(waiting) == 0 && evbuffer_get_length(out_) > 0) {
      const int written = evbuffer_write(out_, bufferevent_getfd(transport_));
      if (written > 0) continue;
      if (written < 0 && (errno == EAGAIN || errno == EINTR)) break;
      return destroy();
    }
    if (evbuffer_get_length(out_) > 0) bufferevent_write_buffer(transport_, out_);
    if (!slots_.empty()) slots_.front()->set_downstream(evbuffer_get_length(waiting));
  }
  after_flush();
}

void Connection::after_flush() {
  if (!alive_ || !close_after_flush_ || lingering_ || pending_output() > 0) return;
  if (unclean_ && !ended_)
    begin_linger();
  else
    destroy();
}

void Connection::on_output(evbuffer* output, const evbuffer_cb_info* info, void* self) {
  auto* connection = static_cast<Connection*>(self);
  if (info->n_deleted == 0) return;
  connection->last_progress_ = now();
  if (!connection->slots_.empty())
    connection->slots_.front()->set_downstream(evbuffer_get_length(output));
}

void Connection::on_writable(bufferevent*, void* self) {
  const auto keep = static_cast<Connection*>(self)->shared_from_this();
  keep->process_input();
  if (keep->alive_) keep->arm_timer();
}

// The answer is out, but the client may be in the middle of sending: closing now would reset the
// connection and could take the answer away from it.
void Connection::begin_linger() {
  lingering_ = true;
  discard_input_ = true;
  linger_until_ = now() + options_.linger_timeout;
  if (tls_)
    tls_close_notify(transport_);
  else
    shutdown(bufferevent_getfd(transport_), SHUT_WR);
  arm_timer();
}

}  // namespace aictl::http
