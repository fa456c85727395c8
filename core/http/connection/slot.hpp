// A Slot is one exchange's place in its connection's queue of responses: what other threads say
// about the answer gathers here, and the loop collects it in one go.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/clock.hpp"
#include "core/http/exchange.hpp"
#include "core/http/message.hpp"
#include "core/http/net/loop.hpp"

struct evbuffer;

namespace aictl::http {

class Connection;

/// What has been said about the answer since the loop last looked.
struct Outbox {
  std::optional<Response> head;  // with the whole body unless `stream`
  bool stream = false;
  StreamKeepAlive keep_alive;
  std::string body;  // stream bytes
  bool finished = false;
  bool aborted = false;
  bool abandoned = false;  // every handle went without an answer
  Headers extra;           // what was set for the answer that an abandoned one never got
};

class Slot : public std::enable_shared_from_this<Slot> {
 public:
  Slot(std::shared_ptr<Loop> loop, Connection* connection, Request request, size_t high_water,
       size_t limit)
      : request(std::move(request)),
        loop(std::move(loop)),
        connection(connection),
        high_water_(high_water),
        limit_(limit) {}
  ~Slot();

  // Any thread.
  void set_header(std::string_view name, std::string value);
  void respond(Response response);
  bool start_stream(Response head, StreamKeepAlive keep_alive);
  WriteResult write(std::string_view bytes);
  void finish();
  void abort();
  void abandon();
  void on_close(std::function<void()> callback);
  void on_drained(std::function<void()> callback);
  size_t buffered() const;
  bool closed() const { return closed_; }

  // Loop thread.
  Outbox take();
  /// Bytes of this slot that the kernel has not taken, as the connection knows it.
  void set_downstream(size_t bytes);
  /// The response is complete: nobody will be told anything any more.
  void complete();
  /// The client has gone or the server stops: tells whoever asked.
  void close();

  Request request;                   // unchanged once the handler has returned
  BodyLease body;                    // of request.body, until that is taken
  const std::shared_ptr<Loop> loop;  // shared: handles outlive the server

  // Loop thread only.
  Connection* connection;  // null once complete or closed
  bool before_drain = false;
  bool dispatching = false;
  bool head_written = false;
  bool chunked = false;
  bool no_body = false;
  bool done = false;
  bool close_after = false;
  int status = 0;
  uint64_t sent = 0;
  evbuffer* early = nullptr;  // written before it is this slot's turn
  StreamKeepAlive keep_alive;
  Time last_write{};
  Time started{};

 private:
  void schedule(std::unique_lock<std::mutex> lock);
  void deliver();
  void check_drained();

  const size_t high_water_;
  const size_t limit_;
  std::function<void()> close_callback_;    // loop thread
  std::function<void()> drained_callback_;  // loop thread
  std::atomic<bool> closed_{false};

  mutable std::mutex mutex_;  // guards what follows
  Outbox outbox_;
  Headers extra_headers_;
  bool answered_ = false;
  bool streaming_ = false;
  bool ended_ = false;  // finished, aborted or answered whole
  bool scheduled_ = false;
  bool writer_waits_ = false;
  size_t downstream_ = 0;
};

/// What the handles of an exchange share; the last one to go takes it along.
class ExchangeOwner {
 public:
  explicit ExchangeOwner(std::shared_ptr<Slot> slot) : slot(std::move(slot)) {}
  ~ExchangeOwner() { slot->abandon(); }
  ExchangeOwner(const ExchangeOwner&) = delete;
  ExchangeOwner& operator=(const ExchangeOwner&) = delete;

  const std::shared_ptr<Slot> slot;  // shared with the connection's queue
};

}  // namespace aictl::http
