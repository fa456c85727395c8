// A request's life on the connection's loop: its jobs go to the engine, what comes back is read
// when the engine wakes us, and all of it is cancelled when the client goes away.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/http/exchange.hpp"
#include "core/openai/errors.hpp"
#include "core/plugin/generation.hpp"
#include "plugins/services/inference/api/served.hpp"

namespace aictl::inference {

/// Everything but the constructor runs on the exchange's loop thread. The exchange keeps the run
/// alive until its response is complete; then what the engine still holds is cancelled.
class EngineRun : public std::enable_shared_from_this<EngineRun> {
 public:
  EngineRun(http::Exchange exchange, const ServedModel& model)
      : exchange_(std::move(exchange)), model_(model) {}
  virtual ~EngineRun();
  EngineRun(const EngineRun&) = delete;
  EngineRun& operator=(const EngineRun&) = delete;

  /// Goes to the loop and starts there. Callable from any thread, once.
  static void launch(std::shared_ptr<EngineRun> run);

 protected:
  virtual size_t jobs() const = 0;
  virtual Result<std::shared_ptr<Generation>> submit(size_t job, std::function<void()> wake) = 0;
  /// The engine has taken the first job.
  virtual void on_accepted() {}
  /// Reads what `job` has; true once the job needs nothing more.
  virtual bool read(size_t job, Generation& generation) = 0;
  /// Every job is done.
  virtual void on_complete() = 0;
  virtual void on_failure(const openai::ApiError& error) = 0;

  /// Reads all jobs that run and submits more. No effect once over.
  void advance();
  /// Ends it with `error`.
  void fail(const openai::ApiError& error);

  http::Exchange exchange_;
  const ServedModel& model_;

 private:
  struct Running {
    size_t job;
    std::shared_ptr<Generation> generation;  // shared with the engine
  };
  // Jobs of one request in the engine at once: many inputs do not fill the queue for all others.
  static constexpr size_t kMaxRunning = 16;

  void start();
  bool submit_more();
  void cancel();

  std::vector<Running> running_;
  size_t next_ = 0;
  size_t room_ = kMaxRunning;  // less after a full queue, until one of ours has ended
  bool over_ = false;
};

/// Why a generation did not come to its end; nullopt when it did.
std::optional<openai::ApiError> failure_of(const Finished& end);

/// Answers with an error; 429 and 503 say when to come again, by the engine's measure.
void respond_error(http::Exchange& exchange, const openai::ApiError& error,
                   const ServedModel* model = nullptr);

}  // namespace aictl::inference
