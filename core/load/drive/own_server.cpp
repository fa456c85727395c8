#include "core/load/drive/own_server.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

#include "core/base/process.hpp"
#include "core/value/json.hpp"

namespace aictl::load {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 10s;  // between SIGTERM and SIGKILL
constexpr size_t kLastWords = 2000;

std::vector<std::string> own_environment() {
  std::vector<std::string> out;
  for (char** at = environ; *at != nullptr; ++at) out.emplace_back(*at);
  return out;
}

}  // namespace

struct OwnServer::State {
  Process process;
  std::string url;
  double seconds = 0;
  std::promise<std::string> ready;  // the URL; empty when it ended before
  std::string last_words;           // of its stderr; read once `reader` has set `ready`
  bool reaped = false;
  std::jthread reader;  // takes what the server writes, or its pipes would fill

  void read_pipes();
  void stop();
};

// Ends when the server has closed both pipes.
void OwnServer::State::read_pipes() {
  LineCutter lines;
  bool told = false;
  pollfd ends[] = {{process.output.get(), POLLIN, 0}, {process.errors.get(), POLLIN, 0}};
  std::string words;
  const auto on_line = [&](std::string_view line) {
    auto tree = told ? Result<Json>(Json()) : parse_json(line);
    if (told || !tree || !tree->is_object() || tree->value("event", Json()) != "ready") return;
    const auto found = tree->find("url");
    if (found == tree->end() || !found->is_string()) return;
    told = true;
    ready.set_value(found->get<std::string>());
  };
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    if (poll(ends, 2, -1) < 0) continue;
    for (pollfd& end : ends) {
      if (end.fd < 0 || end.revents == 0) continue;
      char bytes[4096];
      const ssize_t got = read(end.fd, bytes, sizeof bytes);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (got <= 0) {
        end.fd = -1;
        continue;
      }
      const std::string_view piece(bytes, static_cast<size_t>(got));
      if (&end == &ends[0]) {
        lines.feed(piece, on_line);
      } else if (!told) {
        words += piece;
        if (words.size() > kLastWords) words.erase(0, words.size() - kLastWords);
      }
    }
  }
  if (told) return;
  last_words = std::move(words);
  ready.set_value("");
}

void OwnServer::State::stop() {
  if (process.pid == 0 || reaped) return;
  const auto end = std::chrono::steady_clock::now() + kPatience;
  kill(process.pid, SIGTERM);
  while (waitpid(process.pid, nullptr, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > end) {
      kill(-process.pid, SIGKILL);
      waitpid(process.pid, nullptr, 0);
      break;
    }
    std::this_thread::sleep_for(2ms);
  }
  reaped = true;
}

Result<OwnServer> OwnServer::start(const std::string& program,
                                   const std::vector<std::string>& arguments) {
  const auto begin = std::chrono::steady_clock::now();
  ProcessOptions options;
  options.program = program;
  options.argv = {"aictl", "serve", "--address", "127.0.0.1:0", "-o", "json"};
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  options.environment = own_environment();
  auto process = Process::spawn(options);
  if (!process) return std::move(process).error();
  auto state = std::make_unique<State>();
  state->process = std::move(*process);
  auto ready = state->ready.get_future();
  state->reader = std::jthread([one = state.get()] { one->read_pipes(); });
  state->url = ready.get();
  OwnServer server(std::move(state));
  if (server.url().empty()) {
    std::string words = server.state_->last_words;
    while (words.ends_with('\n')) words.pop_back();
    return Error{ErrorCode::kUnavailable, fmt::format("the server did not start: {}", words),
                 "try it alone: aictl serve"};
  }
  server.state_->seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return server;
}

OwnServer::OwnServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
OwnServer::OwnServer(OwnServer&&) noexcept = default;
OwnServer& OwnServer::operator=(OwnServer&&) noexcept = default;
OwnServer::~OwnServer() {
  if (state_) state_->stop();
}

const std::string& OwnServer::url() const { return state_->url; }
double OwnServer::seconds_to_ready() const { return state_->seconds; }

}  // namespace aictl::load
