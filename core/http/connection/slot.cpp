// The slot's two sides: handles on any thread fill the outbox, the loop empties it.
#include "core/http/connection/slot.hpp"

#include <event2/buffer.h>

#include "core/http/connection/connection.hpp"

namespace aictl::http {

Slot::~Slot() {
  if (early != nullptr) evbuffer_free(early);
}

// One delivery is under way at most: a burst of writes costs one wake-up.
void Slot::schedule(std::unique_lock<std::mutex> lock) {
  if (scheduled_) return;
  scheduled_ = true;
  lock.unlock();
  if (loop->on_thread() && dispatching) return;  // the connection looks when the handler returns
  loop->post([self = shared_from_this()] { self->deliver(); });
}

void Slot::deliver() {
  if (connection != nullptr) connection->collect(*this);
}

void Slot::set_header(std::string_view name, std::string value) {
  std::lock_guard lock(mutex_);
  extra_headers_.set(name, std::move(value));
}

void Slot::respond(Response response) {
  std::unique_lock lock(mutex_);
  if (answered_) return;
  answered_ = ended_ = true;
  for (const Header& field : extra_headers_) response.headers.set(field.name, field.value);
  outbox_.head = std::move(response);
  outbox_.finished = true;
  schedule(std::move(lock));
}

bool Slot::start_stream(Response head, StreamKeepAlive keep_alive_bytes) {
  std::unique_lock lock(mutex_);
  if (answered_) return false;
  answered_ = streaming_ = true;
  for (const Header& field : extra_headers_) head.headers.set(field.name, field.value);
  outbox_.head = std::move(head);
  outbox_.stream = true;
  outbox_.keep_alive = std::move(keep_alive_bytes);
  schedule(std::move(lock));
  return true;
}

WriteResult Slot::write(std::string_view bytes) {
  std::unique_lock lock(mutex_);
  if (closed_ || ended_ || !streaming_) return WriteResult::kClosed;
  if (bytes.empty()) return WriteResult::kOk;
  const size_t behind = outbox_.body.size() + downstream_;
  if (behind > 0 && bytes.size() > limit_ - std::min(limit_, behind)) {
    writer_waits_ = true;
    return WriteResult::kFull;
  }
  const bool slow = behind + bytes.size() > high_water_;
  writer_waits_ = writer_waits_ || slow;
  outbox_.body.append(bytes);
  schedule(std::move(lock));
  return slow ? WriteResult::kSlow : WriteResult::kOk;
}

void Slot::finish() {
  std::unique_lock lock(mutex_);
  if (ended_ || !streaming_) return;
  ended_ = true;
  outbox_.finished = true;
  schedule(std::move(lock));
}

void Slot::abort() {
  std::unique_lock lock(mutex_);
  if (ended_ || !streaming_) return;
  ended_ = true;
  outbox_.aborted = true;
  schedule(std::move(lock));
}

void Slot::abandon() {
  std::unique_lock lock(mutex_);
  if (ended_ || closed_) return;
  ended_ = true;
  (answered_ ? outbox_.aborted : outbox_.abandoned) = true;
  outbox_.extra = std::move(extra_headers_);
  answered_ = true;
  schedule(std::move(lock));
}

void Slot::on_close(std::function<void()> callback) {
  if (!loop->on_thread()) {
    loop->post([self = shared_from_this(), callback = std::move(callback)]() mutable {
      self->on_close(std::move(callback));
    });
    return;
  }
  if (connection != nullptr)
    close_callback_ = std::move(callback);
  else if (closed_)
    loop->post(std::move(callback));  // not now: the caller may not expect it inside this call
}

void Slot::on_drained(std::function<void()> callback) {
  loop->post([self = shared_from_this(), callback = std::move(callback)]() mutable {
    if (self->connection == nullptr) return;
    self->drained_callback_ = std::move(callback);
    self->check_drained();
  });
}

size_t Slot::buffered() const {
  std::lock_guard lock(mutex_);
  return outbox_.body.size() + downstream_;
}

Outbox Slot::take() {
  std::lock_guard lock(mutex_);
  scheduled_ = false;
  Outbox box = std::move(outbox_);
  outbox_ = Outbox();
  downstream_ += box.body.size();  // until the connection says better
  return box;
}

void Slot::set_downstream(size_t bytes) {
  std::unique_lock lock(mutex_);
  downstream_ = bytes;
  if (!writer_waits_ || downstream_ + outbox_.body.size() > high_water_ / 2) return;
  lock.unlock();
  // Posted, because this is called from the midst of writing.
  loop->post([self = shared_from_this()] { self->check_drained(); });
}

void Slot::check_drained() {
  if (connection == nullptr || !drained_callback_) return;
  {
    std::lock_guard lock(mutex_);
    if (!writer_waits_ || downstream_ + outbox_.body.size() > high_water_ / 2) return;
    writer_waits_ = false;
  }
  drained_callback_();
}

void Slot::complete() {
  connection = nullptr;
  // Moved out first: a callback may hold the last handle of this exchange.
  auto close_callback = std::move(close_callback_);
  auto drained_callback = std::move(drained_callback_);
  close_callback_ = nullptr;
  drained_callback_ = nullptr;
}

void Slot::close() {
  if (connection == nullptr) return;
  connection = nullptr;
  closed_ = true;
  auto close_callback = std::move(close_callback_);
  auto drained_callback = std::move(drained_callback_);
  close_callback_ = nullptr;
  drained_callback_ = nullptr;
  if (close_callback) close_callback();
}

// The handles.

WriteResult Stream::write(std::string_view bytes) {
  return owner_ ? owner_->slot->write(bytes) : WriteResult::kClosed;
}
void Stream::finish() {
  if (owner_) owner_->slot->finish();
}
void Stream::abort() {
  if (owner_) owner_->slot->abort();
}
size_t Stream::buffered() const { return owner_ ? owner_->slot->buffered() : 0; }
bool Stream::closed() const { return !owner_ || owner_->slot->closed(); }
void Stream::on_drained(std::function<void()> callback) {
  if (owner_) owner_->slot->on_drained(std::move(callback));
}

const Request& Exchange::request() const { return owner_->slot->request; }
Body Exchange::take_body() {
  return {std::move(owner_->slot->request.body), std::move(owner_->slot->body)};
}
void Exchange::set_response_header(std::string_view name, std::string value) {
  owner_->slot->set_header(name, std::move(value));
}
void Exchange::respond(Response response) { owner_->slot->respond(std::move(response)); }
Stream Exchange::start_stream(int status, Headers headers, StreamKeepAlive keep_alive) {
  Response head;
  head.status = status;
  head.headers = std::move(headers);
  if (!owner_->slot->start_stream(std::move(head), std::move(keep_alive))) return {};
  return Stream(owner_);
}
void Exchange::on_close(std::function<void()> callback) {
  owner_->slot->on_close(std::move(callback));
}
bool Exchange::closed() const { return owner_->slot->closed(); }
void Exchange::post(std::function<void()> task) { owner_->slot->loop->post(std::move(task)); }

}  // namespace aictl::http
