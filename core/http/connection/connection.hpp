// One client's connection: bytes in, requests out to the handler, responses back in order. Lives on
// its loop's thread from the first byte to the last.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/base/file.hpp"
#include "core/http/connection/slot.hpp"
#include "core/http/connection/worker.hpp"
#include "core/http/parser.hpp"

struct bufferevent;
struct evbuffer;
struct evbuffer_cb_info;
struct event;

namespace aictl::http {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// Owns `transport` and its socket.
  Connection(Worker& worker, bufferevent* transport, const Accepted& accepted);
  ~Connection();

  /// Begins to read; `refused` answers 503 instead.
  void start(bool refused);
  /// Takes what the slot's handles have said and sends it, or keeps it until it is the slot's turn.
  void collect(Slot& slot);
  /// Closes if idle; otherwise the last response says "Connection: close".
  void begin_drain();
  /// Cuts the connection; running exchanges are told.
  void abort();

 private:
  static constexpr size_t kReadHighWater = 256 << 10;  // unparsed; past it reading is suspended

  // Reading (connection.cpp).
  static void on_read(bufferevent*, void* self);
  static void on_event(bufferevent*, short what, void* self);
  void process_input();
  bool feed_parser();
  std::optional<Response> judge_head();
  void dispatch(std::optional<Response> answer);
  void run_handler(const std::shared_ptr<Slot>& slot);
  std::shared_ptr<Slot> add_slot(Request request);
  void answer_error(int status, std::string_view message);
  void end_with(Response response);

  // Ending (connection_end.cpp).
  static void on_hangup(int fd, short what, void* self);
  static void on_reset(int fd, short what, void* self);
  void watch_hangup();
  bool watch_reset(int fd);
  void on_end(bool clean);
  bool ask_whether_there();
  void destroy();

  // Writing (connection_output.cpp).
  static void on_writable(bufferevent*, void* self);
  static void on_output(evbuffer*, const evbuffer_cb_info* info, void* self);
  void write_outbox(Slot& slot, Outbox box);
  void write_head(Slot& slot, Response head, bool stream, evbuffer* target);
  void write_stream(Slot& slot, std::string bytes, evbuffer* target);
  void pop_done_slots();
  void uncount(const Slot& slot);
  void report(const Slot& slot, int status);
  void send_continue();
  void flush();
  void after_flush();
  size_t pending_output() const;
  void write_continue();
  void write_comment(Slot& slot);
  void begin_linger();

  // Time (connection_time.cpp).
  static void on_timer(int fd, short what, void* self);
  void check_deadlines();
  Time next_deadline() const;
  Time reading_deadline() const;
  void arm_timer();
  bool idle() const;

  Worker& worker_;
  const ServerOptions& options_;
  bufferevent* transport_;
  event* timer_;
  event* hangup_ = nullptr;  // watches for the end while reading is suspended
  Fd reset_fd_;              // the same socket
  event* reset_ = nullptr;   // watches it after the end
  evbuffer* out_;            // corked: sent at the end of each callback
  const std::string peer_;
  const bool tls_;

  RequestParser parser_;
  BodyLease body_;  // of the request being read
  std::deque<std::shared_ptr<Slot>>
      slots_;  // shared with the exchanges' handles; responses go in this order
  size_t requests_ = 0;

  bool alive_ = true;
  bool handshaken_;
  bool processing_ = false;
  bool ended_ = false;           // the client sends no more
  bool discard_input_ = false;   // no more requests are taken
  bool continue_waits_ = false;  // "100 Continue" is to be sent when it is this request's turn
  bool continue_sent_ = false;
  bool held_back_ = false;  // there is input that we do not want to read yet
  bool unclean_ = false;    // the client may still be sending: linger
  bool close_after_flush_ = false;
  bool lingering_ = false;

  Time armed_for_ = Time::max();
  Time phase_start_{};    // of idling, of the head or of the body
  Time last_input_{};     // when bytes were read last
  Time last_progress_{};  // the reader took bytes
  Time linger_until_{};
  Time ask_again_ = Time::max();  // whether a client that ended is still there
};

}  // namespace aictl::http
