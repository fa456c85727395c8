#include "core/load/drive/driver.hpp"

#include <ctime>
#include <deque>
#include <memory>
#include <unordered_map>

#include <fmt/format.h>

#include "core/base/clock.hpp"
#include "core/http/async/client.hpp"
#include "core/load/drive/answer.hpp"

namespace aictl::load {
namespace {

constexpr double kTick = 0.1;          // seconds between two looks at deadlines and the watcher
constexpr double kAfterFailure = 0.1;  // a user whose request failed waits so long: a server that
                                       // refuses everything is not hammered

double thread_seconds() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

class Driver;

// A request on its way.
class Flight final : public http::AsyncReceiver {
 public:
  Flight(Driver& driver, uint64_t slot) : driver_(driver), slot_(slot), reader_(record) {}

  void on_sent(Time when) override;
  void on_body(int status, std::string_view piece, Time when) override;
  void on_end(const http::AsyncEnd& end, Time when) override;

  Record record;
  http::AsyncClient::Id id = 0;
  int user = -1;

 private:
  friend class Driver;
  Driver& driver_;
  uint64_t slot_;
  AnswerReader reader_;
};

class Driver {
 public:
  Driver(const DriveOptions& options, const std::function<Prepared(uint64_t)>& prepare,
         const std::function<bool(const Live&)>& watch, http::AsyncClient& client)
      : options_(options), prepare_(prepare), watch_(watch), client_(client) {}

  Run run();
  double seconds(Time when) const { return std::chrono::duration<double>(when - start_).count(); }
  void landed(Flight& flight);
  void count_piece() { ++live_.pieces; }
  bool exact_length() const { return options_.exact_length; }

 private:
  struct Due {
    uint64_t index;
    int step, user;
    double plan, handled;
  };

  double now() const { return seconds(std::chrono::steady_clock::now()); }
  Time time_at(double s) const {
    return start_ + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
  }
  bool open_loop() const { return options_.users == 0; }
  void user_asks(int user, double plan);
  void next_arrival();
  void handle(Due due);
  void send(const Due& due);
  void tick();
  void finish_if_over();

  const DriveOptions& options_;
  const std::function<Prepared(uint64_t)>& prepare_;
  const std::function<bool(const Live&)>& watch_;
  http::AsyncClient& client_;
  Time start_;
  Run run_;
  Live live_;
  uint64_t next_ = 0;  // index of the request to come
  Prepared ready_;     // made ahead, so that making it delays nothing
  uint64_t ready_index_ = ~uint64_t{0};
  uint64_t thinking_ = 0;  // users between two requests
  bool ending_ = false;
  std::deque<Due> queue_;
  std::deque<std::pair<double, uint64_t>> deadlines_;  // in order: all have the same patience
  std::unordered_map<uint64_t, std::unique_ptr<Flight>> flights_;
};

void Flight::on_sent(Time when) { record.sent = driver_.seconds(when); }

void Flight::on_body(int status, std::string_view piece, Time when) {
  const int64_t before = record.pieces;
  reader_.feed(status, piece, driver_.seconds(when));
  for (int64_t i = before; i < record.pieces; ++i) driver_.count_piece();
}

void Flight::on_end(const http::AsyncEnd& end, Time when) {
  using Stage = http::AsyncEnd::Stage;
  record.end = driver_.seconds(when);
  record.status = end.status;
  if (!end.complete && end.stage == Stage::kConnecting) {
    record.failure = Failure::kConnect;
    record.error = end.error;
  } else {
    reader_.end(end.complete, end.error, driver_.exact_length());
  }
  driver_.landed(*this);
}

// A user's next request, unless the plan is over.
void Driver::user_asks(int user, double plan) {
  const bool late = options_.duration > 0 && plan >= options_.duration;
  if (ending_ || late || (options_.requests != 0 && next_ >= options_.requests))
    return finish_if_over();
  const auto ask = [this, user, plan] {
    --thinking_;
    const bool none_left = options_.requests != 0 && next_ >= options_.requests;
    if (ending_ || none_left) return finish_if_over();
    handle({next_++, 0, user, plan, now()});
  };
  ++thinking_;
  if (plan <= now())
    ask();
  else
    client_.at(time_at(plan), ask);
}

void Driver::next_arrival() {
  if (ending_ || next_ >= options_.arrivals.size()) return finish_if_over();
  const Arrival arrival = options_.arrivals[next_];
  ready_ = prepare_(next_);
  ready_index_ = next_;
  client_.at(time_at(arrival.at), [this, arrival] {
    if (ending_) return;
    handle({next_++, arrival.step, -1, arrival.at, now()});
    next_arrival();
  });
}

void Driver::handle(Due due) {
  const auto bound = static_cast<uint64_t>(options_.max_running);
  if (bound != 0 && flights_.size() >= bound) {
    queue_.push_back(due);
    live_.waiting = queue_.size();
    return;
  }
  send(due);
}

void Driver::send(const Due& due) {
  Prepared request = due.index == ready_index_ ? std::move(ready_) : prepare_(due.index);
  auto flight = std::make_unique<Flight>(*this, due.index);
  Record& record = flight->record;
  record.index = due.index;
  record.step = due.step;
  record.plan = due.plan;
  record.handled = due.handled;
  record.asked_in = request.in_tokens;
  record.asked_out = request.out_tokens;
  record.start = now();
  flight->user = due.user;
  Flight& one = *flight;
  flights_[due.index] = std::move(flight);
  ++live_.sent;
  deadlines_.emplace_back(record.start + options_.timeout, due.index);
  one.id = client_.post(options_.path, std::move(request.body), options_.headers, one);
}

// A request has ended, however.
void Driver::landed(Flight& flight) {
  auto node = flights_.extract(flight.slot_);
  std::unique_ptr<Flight> owned = std::move(node.mapped());
  ++live_.done;
  live_.failed += !owned->record.ok();
  const int user = owned->user;
  const double end = owned->record.end;
  const bool failed = !owned->record.ok();
  run_.records.push_back(std::move(owned->record));
  // The reader of this flight may be on the stack below: it goes when the loop is back.
  client_.at(start_, [gone = std::shared_ptr<Flight>(std::move(owned))] {});
  if (!queue_.empty() && !ending_) {
    const Due due = queue_.front();
    queue_.pop_front();
    live_.waiting = queue_.size();
    send(due);
  }
  if (user >= 0) {
    Random random(options_.seed, 0x7417 + run_.records.size());
    user_asks(user, end + options_.think.draw(random) + (failed ? kAfterFailure : 0));
  }
  finish_if_over();
}

void Driver::tick() {
  const double at = now();
  while (!deadlines_.empty() && deadlines_.front().first <= at) {
    const auto found = flights_.find(deadlines_.front().second);
    deadlines_.pop_front();
    if (found == flights_.end()) continue;
    Flight& flight = *found->second;
    client_.cancel(flight.id);
    flight.record.end = at;
    flight.record.failure = Failure::kTimeout;
    flight.record.error = fmt::format("no whole answer within {:g} s", options_.timeout);
    landed(flight);
  }
  live_.seconds = at;
  live_.running = flights_.size();
  if (!ending_ && !watch_(live_)) {
    run_.interrupted = ending_ = true;
    while (!flights_.empty()) {
      Flight& flight = *flights_.begin()->second;
      client_.cancel(flight.id);
      flight.record.end = at;
      flight.record.failure = Failure::kCancelled;
      landed(flight);
    }
  }
  finish_if_over();
  if (!(ending_ && flights_.empty())) client_.at(time_at(at + kTick), [this] { tick(); });
}

// Stops the loop when nothing runs and nothing is to come.
void Driver::finish_if_over() {
  const bool more = open_loop() ? next_ < options_.arrivals.size() : thinking_ > 0;
  if (!flights_.empty() || (!ending_ && (more || !queue_.empty()))) return;
  ending_ = true;
  client_.stop();
}

Run Driver::run() {
  start_ = std::chrono::steady_clock::now();
  const double cpu = thread_seconds();
  run_.unix_start = Clock().unix_seconds();
  run_.open_loop = open_loop();
  client_.at(start_, [this] {
    // One guard that is thinking, so that the first user's failure does not end the run.
    ++thinking_;
    if (open_loop())
      next_arrival();
    else
      for (int user = 0; user < options_.users; ++user) user_asks(user, 0);
    --thinking_;
    tick();
  });
  client_.run();
  run_.wall = now();
  run_.cpu = thread_seconds() - cpu;
  run_.planned = open_loop() ? options_.arrivals.size() : next_;
  run_.planned_end = options_.duration > 0 ? std::min(options_.duration, run_.wall) : run_.wall;
  return std::move(run_);
}

}  // namespace

Result<Run> drive(const DriveOptions& options, const std::function<Prepared(uint64_t)>& prepare,
                  const std::function<bool(const Live&)>& watch) {
  http::AsyncClientOptions client_options;
  client_options.verify_tls = options.verify_tls;
  client_options.ca_file = options.ca_file;
  auto client = http::AsyncClient::open(options.url, client_options);
  if (!client) return std::move(client).error();
  return Driver(options, prepare, watch, **client).run();
}

}  // namespace aictl::load
