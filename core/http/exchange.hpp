// One request and the answer to it. Handlers get an Exchange on a loop thread and may carry it to
// any other thread; every call finds its way back to the connection's loop.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/http/framing/body_budget.hpp"
#include "core/http/message.hpp"

namespace aictl::http {

class ExchangeOwner;

/// How a write to a stream went.
enum class WriteResult {
  kOk,      // taken
  kSlow,    // taken, but the reader is behind by more than the high-water mark: make less, or wait
  kFull,    // not taken: the reader is behind by more than the output limit
  kClosed,  // not taken: the client has gone, or the stream was finished or aborted
};

/// Bytes the loop writes by itself when a stream has been silent for `interval`, so that proxies
/// keep it open and a reader that has gone is found out. An SSE stream uses sse::kKeepAlive.
struct StreamKeepAlive {
  std::string bytes;
  std::chrono::milliseconds interval{0};  // 0: none
};

/// A response whose body is written piece by piece (chunked; ended by closing for HTTP/1.0). A
/// handle: copies speak of the same stream. When the last handle of stream and exchange goes
/// without finish(), the connection is cut, so that the client cannot take a part for the whole.
/// All methods are callable from any thread; calls of one thread keep their order.
class Stream {
 public:
  Stream() = default;

  /// Queues body bytes. Empty writes are fine and send nothing.
  WriteResult write(std::string_view bytes);
  /// Ends the body. Idempotent.
  void finish();
  /// Cuts the connection without ending the body. Idempotent.
  void abort();
  /// Bytes queued that the kernel has not taken yet.
  size_t buffered() const;
  bool closed() const;
  /// `callback` runs on the loop each time `buffered()` has fallen to half the high-water mark
  /// after a write had returned kSlow or kFull. Dropped by finish() and abort().
  void on_drained(std::function<void()> callback);

 private:
  friend class Exchange;
  explicit Stream(std::shared_ptr<ExchangeOwner> owner) : owner_(std::move(owner)) {}
  std::shared_ptr<ExchangeOwner> owner_;  // shared with every copy and the Exchange
};

/// A request's body, and its share of what all bodies may take together.
struct Body {
  std::string bytes;
  BodyLease lease;
};

/// A handle: copies speak of the same exchange. Exactly one of respond() and start_stream()
/// answers; a second answer is ignored. When the last handle goes without one, the client gets a
/// 500. All methods are callable from any thread.
class Exchange {
 public:
  explicit Exchange(std::shared_ptr<ExchangeOwner> owner) : owner_(std::move(owner)) {}

  /// Valid and unchanged as long as any handle lives.
  const Request& request() const;
  /// Takes the body out of the request to save a copy. Only before other threads know the exchange.
  Body take_body();
  /// Adds a header to whatever response will be sent (x-request-id, CORS). Before the answer only.
  void set_response_header(std::string_view name, std::string value);

  /// Sends a whole response. Content-Length, Date, Connection and Transfer-Encoding are the
  /// server's affair and ignored in `response.headers` (save "Connection: close", which is
  /// honoured).
  void respond(Response response);
  /// Sends the head of a response and returns the stream for its body.
  Stream start_stream(int status, Headers headers, StreamKeepAlive keep_alive = {});

  /// `callback` runs once on the loop thread if the client goes away before the response is
  /// complete (at once if it already has), the stream is aborted, or the server stops. It is
  /// dropped when the response is complete. It may hold a handle of this exchange. A client that
  /// only shuts down its sending side has not gone, as far as that can be told: over HTTP/1.1 until
  /// the answer begins, and while a stream with comments lasts; not over TLS.
  void on_close(std::function<void()> callback);
  /// Whether the client has gone (or the server stopped) before the response was complete.
  bool closed() const;
  /// Runs `task` on this connection's loop thread; dropped when the loop has ended.
  void post(std::function<void()> task);

 private:
  std::shared_ptr<ExchangeOwner> owner_;  // shared with every copy and the Stream
};

/// Runs on a loop thread and must not block.
using Handler = std::function<void(Exchange)>;

}  // namespace aictl::http
