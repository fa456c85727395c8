#include "core/platform/run/prober.hpp"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "core/http/client.hpp"

namespace aictl::platform {
namespace {

bool is_healthy(const HealthCheck& check) {
  http::ClientOptions options;
  options.connect_timeout = options.read_timeout = options.write_timeout =
      std::chrono::seconds(check.timeout);
  options.body_limit = size_t{1} << 20;
  auto client = http::Client::open(check.url, options);
  if (!client) return false;
  auto response = client->get(check.path);
  return response && response->status >= 200 && response->status < 400;
}

}  // namespace

Prober::Prober(size_t threads) : questions_(4096), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Prober::~Prober() {
  questions_.close();
  while (questions_.try_receive()) {
  }
}

void Prober::ask(Question question) {
  const Answer refused{question.member, question.run, false};
  if (questions_.try_send(std::move(question))) return;
  const std::lock_guard lock(mutex_);
  answers_.push_back(refused);
}

std::vector<Prober::Answer> Prober::answers() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t n = ::read(wake_.get(), &count, sizeof count);
  const std::lock_guard lock(mutex_);
  return std::exchange(answers_, {});
}

void Prober::work() {
  ::pthread_setname_np(::pthread_self(), "probe");
  while (auto question = questions_.receive()) {
    const bool healthy = is_healthy(question->check);
    {
      const std::lock_guard lock(mutex_);
      answers_.push_back({question->member, question->run, healthy});
    }
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(wake_.get(), &one, sizeof one);
  }
}

}  // namespace aictl::platform
