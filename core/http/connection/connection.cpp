// The reading half of a connection: from bytes to requests in the handler's hands.
#include "core/http/connection/connection.hpp"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <exception>

#include "core/base/check.hpp"
#include "core/http/framing/content_encoding.hpp"
#include "core/telemetry/log.hpp"

namespace aictl::http {
namespace {

constexpr size_t kReadBlock = 64 << 10;    // read at once
constexpr size_t kWriteBlock = 256 << 10;  // written at once
constexpr std::string_view kFailedInside = "the request failed inside the server";

Time now() { return std::chrono::steady_clock::now(); }

}  // namespace

Connection::Connection(Worker& worker, bufferevent* transport, const Accepted& accepted)
    : worker_(worker),
      options_(worker.shared().options),
      transport_(transport),
      timer_(evtimer_new(worker.loop()->base(), on_timer, this)),
      out_(evbuffer_new()),
      peer_(accepted.peer),
      tls_(accepted.tls),
      parser_(options_.parser),
      body_(worker.shared().bodies),
      handshaken_(!accepted.tls) {
  CHECK(timer_ != nullptr && out_ != nullptr);
  bufferevent_setcb(transport_, on_read, on_writable, on_event, this);
  bufferevent_set_max_single_read(transport_, kReadBlock);
  bufferevent_set_max_single_write(transport_, kWriteBlock);
  bufferevent_setwatermark(transport_, EV_READ, 0, kReadHighWater);
  evbuffer_add_cb(bufferevent_get_output(transport_), on_output, this);
}

Connection::~Connection() {
  evbuffer_free(out_);
  event_free(timer_);
}

void Connection::start(bool refused) {
  phase_start_ = last_progress_ = now();
  bufferevent_enable(transport_, EV_READ | EV_WRITE);
  if (refused) {
    const auto self = shared_from_this();
    Response response = worker_.shared().busy("too many connections", Request());
    const auto slot = add_slot(Request());
    slot->close_after = discard_input_ = unclean_ = true;
    slot->respond(std::move(response));
    collect(*slot);
    if (!alive_) return;
  }
  arm_timer();
}

void Connection::on_read(bufferevent*, void* self) {
  const auto keep = static_cast<Connection*>(self)->shared_from_this();
  keep->process_input();
  if (keep->alive_) keep->arm_timer();
}

void Connection::on_event(bufferevent*, short what, void* self) {
  const auto keep = static_cast<Connection*>(self)->shared_from_this();
  if ((what & BEV_EVENT_CONNECTED) != 0) {  // the TLS handshake is through
    keep->handshaken_ = true;
    return;
  }
  keep->on_end((what & BEV_EVENT_EOF) != 0);
}

void Connection::process_input() {
  if (processing_ || !alive_) return;
  bool progressed = true;
  while (alive_ && progressed) {  // again after each flush: it may have made room for more
    progressed = false;
    processing_ = true;
    while (alive_ && feed_parser()) progressed = true;
    processing_ = false;
    if (alive_) flush();
  }
  if (!alive_) return;
  evbuffer* in = bufferevent_get_input(transport_);
  if (discard_input_ && evbuffer_get_length(in) > 0) {
    unclean_ = true;
    evbuffer_drain(in, evbuffer_get_length(in));
  }
  watch_hangup();
  // Who sends no more has its answers, all of them.
  if (ended_ && slots_.empty() && (discard_input_ || evbuffer_get_length(in) == 0))
    close_after_flush_ = true;
  after_flush();
}

// One block of input; false when there is nothing to do for now.
bool Connection::feed_parser() {
  evbuffer* in = bufferevent_get_input(transport_);
  if (discard_input_ || evbuffer_get_length(in) == 0) return false;
  // Who does not read answers gets to ask no more.
  const bool held_back =
      slots_.size() >= options_.pipeline_depth || pending_output() > options_.output_high_water;
  if (held_back_ && !held_back) phase_start_ = now();
  held_back_ = held_back;
  if (held_back) return false;
  const bool had_started = parser_.started();
  const bool had_head = parser_.has_head();
  evbuffer_iovec block{};
  evbuffer_peek(in, -1, nullptr, &block, 1);
  const size_t used = parser_.feed({static_cast<const char*>(block.iov_base), block.iov_len});
  evbuffer_drain(in, used);
  last_input_ = now();
  if (parser_.failed()) {
    const ParseError error = parser_.error();
    answer_error(error.status, error.message);
    return false;
  }
  if (!body_.resize(parser_.request().body.size())) {
    end_with(worker_.shared().busy("the bodies of all requests take too much memory just now",
                                   parser_.request()));
    return false;
  }
  std::optional<Response> answer;
  if (parser_.has_head() && !had_head) answer = judge_head();
  if (parser_.complete()) {
    dispatch(std::move(answer));
    return true;
  }
  if (answer) {
    end_with(std::move(*answer));
    return false;
  }
  if (parser_.started() && !had_started) phase_start_ = now();
  if (parser_.has_head() && !had_head) {
    phase_start_ = now();
    if (parser_.expects_continue() && !continue_sent_) {
      continue_waits_ = true;
      send_continue();
    }
  }
  return true;
}

std::shared_ptr<Slot> Connection::add_slot(Request request) {
  auto slot = std::make_shared<Slot>(worker_.loop(), this, std::move(request),
                                     options_.output_high_water, options_.output_limit);
  slot->started = now();
  slots_.push_back(slot);
  ++worker_.shared().exchanges;
  slot->before_drain = !worker_.shared().draining;
  if (slot->before_drain) ++worker_.shared().older_exchanges;
  return slot;
}

std::optional<Response> Connection::judge_head() {
  if (!options_.on_head) return std::nullopt;
  try {
    return options_.on_head(parser_.request());
  } catch (const std::exception& error) {
    log::error("judging a request failed", {{"why", error.what()}});
    return worker_.shared().error(500, kFailedInside, parser_.request());
  }
}

void Connection::dispatch(std::optional<Response> answer) {
  Request request = parser_.take();
  continue_waits_ = continue_sent_ = false;
  request.peer = peer_;
  request.secure = tls_;
  ++requests_;
  const bool last = !request.keep_alive || requests_ >= options_.max_requests_per_connection;
  if (last || worker_.shared().draining) discard_input_ = true;
  const auto slot = add_slot(std::move(request));
  slot->close_after = last;
  slot->body = std::exchange(body_, BodyLease(worker_.shared().bodies));
  phase_start_ = slot->started;
  slot->dispatching = true;
  if (answer)
    slot->respond(std::move(*answer));
  else
    run_handler(slot);
  slot->dispatching = false;
  if (alive_ && slot->connection != nullptr) collect(*slot);
}

// What a handler or the memory it wants throws ends the request, not the process.
void Connection::run_handler(const std::shared_ptr<Slot>& slot) {
  const Shared& shared = worker_.shared();
  try {
    if (options_.decode_bodies) {
      const auto decoded =
          decode_body(slot->request, static_cast<size_t>(options_.parser.body_bytes));
      if (!decoded)
        return slot->respond(
            shared.error(decoding_status(decoded.error()), decoded.error().message, slot->request));
      if (!slot->body.resize(slot->request.body.size()))
        return slot->respond(
            shared.busy("the bodies of all requests take too much memory just now", slot->request));
    }
    shared.handler(Exchange(std::make_shared<ExchangeOwner>(slot)));
  } catch (const std::exception& error) {
    log::error("a handler failed", {{"why", error.what()}});
    slot->respond(shared.error(500, kFailedInside, slot->request));
  }
}

// An answer that ends the connection, in its turn after those of earlier
// requests. The client may still be sending its body: reading goes on for a while, or it would see
// a reset instead of the answer.
void Connection::end_with(Response response) {
  discard_input_ = unclean_ = true;
  Request request = parser_.take();
  request.body = std::string();  // nobody reads it any more
  body_ = BodyLease(worker_.shared().bodies);
  request.peer = peer_;
  const auto slot = add_slot(std::move(request));
  slot->close_after = true;
  slot->dispatching = true;
  slot->respond(std::move(response));
  slot->dispatching = false;
  collect(*slot);
}

void Connection::answer_error(int status, std::string_view message) {
  end_with(worker_.shared().error(status, message, parser_.request()));
}

}  // namespace aictl::http
