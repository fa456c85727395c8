// Taking in connections, draining and cutting them.
#include "core/http/connection/worker.hpp"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <unistd.h>

#include <ctime>
#include <vector>

#include "core/http/connection/connection.hpp"

namespace aictl::http {

Response Shared::error(int status, std::string_view message, const Request& request) const {
  Response response = options.render_error ? options.render_error(status, message, request)
                                           : Response::text(status, std::string(message) + "\n");
  response.status = status;
  return response;
}

Response Shared::busy(std::string_view message, const Request& request) const {
  Response response = error(503, message, request);
  response.headers.set("Retry-After", "1");
  response.headers.set("retry-after-ms", "1000");
  return response;
}

void Shared::check_drained() {
  if (!draining || listening || connections != 0 || drained.exchange(true)) return;
  if (on_drained) on_drained();
}

void Worker::adopt(Accepted accepted) {
  bufferevent* transport =
      accepted.tls ? shared_.tls->wrap(loop_->base(), accepted.fd)
                   : bufferevent_socket_new(loop_->base(), accepted.fd, BEV_OPT_CLOSE_ON_FREE);
  if (transport == nullptr) {
    close(accepted.fd);
    --shared_.connections;
    return shared_.check_drained();
  }
  auto connection = std::make_shared<Connection>(*this, transport, accepted);
  connections_.emplace(connection.get(), connection);
  connection->start(accepted.refused);
}

void Worker::begin_drain() {
  std::vector<std::shared_ptr<Connection>> all;
  for (const auto& [_, connection] : connections_) all.push_back(connection);
  for (const auto& connection : all) connection->begin_drain();
}

void Worker::abort_all() {
  while (!connections_.empty()) {
    const auto connection = connections_.begin()->second;
    connection->abort();
  }
}

void Worker::remove(Connection* connection) {
  if (connections_.erase(connection) == 0) return;
  --shared_.connections;
  shared_.check_drained();
}

std::string_view Worker::date() {
  const int64_t now = time(nullptr);
  if (now != date_second_ || date_.empty()) {
    date_second_ = now;
    date_ = format_date(now);
  }
  return date_;
}

}  // namespace aictl::http
