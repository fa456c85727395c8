#include "plugins/services/inference/api/answer/engine_run.hpp"

#include <algorithm>
#include <utility>

namespace aictl::inference {
namespace {

// What the engine says of a request it does not take.
openai::ApiError refusal(const Error& error, const Engine& engine) {
  openai::ApiError out = openai::api_error(error);
  if (error.code == ErrorCode::kUnavailable && engine.stats().draining) out.code = "draining";
  return out;
}

openai::ApiError stopping() {
  openai::ApiError error =
      openai::api_error(Error{ErrorCode::kUnavailable, "the server is stopping", ""});
  error.code = "draining";
  return error;
}

}  // namespace

std::optional<openai::ApiError> failure_of(const Finished& end) {
  switch (end.reason) {
    case FinishReason::kStop:
    case FinishReason::kLength:
      return std::nullopt;
    case FinishReason::kFailed:
      return openai::api_error(end.error);
    case FinishReason::kDeadline:
      return openai::api_error(
          Error{ErrorCode::kDeadlineExceeded, "the request's deadline has passed", ""});
    case FinishReason::kCancelled:
      break;
  }
  return stopping();
}

void respond_error(http::Exchange& exchange, const openai::ApiError& error,
                   const ServedModel* model) {
  http::Response response =
      http::Response::json(error.status, dump_json(openai::error_body(error)));
  if (error.status == 429 || error.status == 503) {
    using std::chrono::milliseconds;
    // Where no engine is in the way, as the server itself says.
    const Duration measured =
        model ? model->engine->stats().retry_after : Duration(std::chrono::seconds(1));
    const int64_t wait =
        std::clamp<int64_t>(std::chrono::duration_cast<milliseconds>(measured).count(), 10, 60'000);
    response.headers.set("retry-after-ms", std::to_string(wait));
    response.headers.set("retry-after", std::to_string((wait + 999) / 1000));
  }
  if (error.status == 501) response.headers.set("x-should-retry", "false");
  if (error.status == 401) response.headers.set("WWW-Authenticate", "Bearer");
  exchange.respond(std::move(response));
}

EngineRun::~EngineRun() { cancel(); }

void EngineRun::launch(std::shared_ptr<EngineRun> run) {
  http::Exchange exchange = run->exchange_;
  exchange.post([run = std::move(run)] { run->start(); });
}

void EngineRun::start() {
  // The exchange's hold on the run: dropped when the response is complete.
  exchange_.on_close([self = shared_from_this()] {
    self->over_ = true;
    self->cancel();
  });
  if (over_) return;
  advance();
}

bool EngineRun::submit_more() {
  while (next_ < jobs() && running_.size() < room_) {
    auto wake = [weak = weak_from_this()] {  // on the engine's thread
      if (const auto self = weak.lock()) self->exchange_.post([self] { self->advance(); });
    };
    auto generation = submit(next_, std::move(wake));
    if (!generation) {
      // A full queue is waited for while something of ours runs: it wakes us when it ends.
      if (generation.error().code == ErrorCode::kResourceExhausted && !running_.empty()) {
        room_ = running_.size();
        return true;
      }
      fail(refusal(generation.error(), *model_.engine));
      return false;
    }
    running_.push_back({next_++, std::move(*generation)});
    if (next_ == 1) on_accepted();
  }
  return true;
}

void EngineRun::advance() {
  if (over_) return;
  if (model_.stopping && *model_.stopping) return fail(stopping());
  if (!submit_more()) return;
  for (size_t i = 0; i < running_.size();) {
    const Running running = running_[i];  // a copy: a failure empties the list
    const bool done = read(running.job, *running.generation);
    if (over_) return;
    if (done) {
      running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
      room_ = kMaxRunning;
    } else {
      ++i;
    }
  }
  if (!submit_more()) return;
  if (!running_.empty() || next_ < jobs()) return;
  over_ = true;
  on_complete();
}

void EngineRun::fail(const openai::ApiError& error) {
  if (over_) return;
  over_ = true;
  cancel();
  on_failure(error);
}

void EngineRun::cancel() {
  for (const Running& running : running_) running.generation->cancel();
  running_.clear();
}

}  // namespace aictl::inference
