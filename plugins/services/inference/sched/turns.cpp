#include "plugins/services/inference/sched/turns.hpp"

#include <algorithm>
#include <limits>

#include "core/base/check.hpp"

namespace aictl::inference {

int Turns::account(uint64_t tenant, ServiceClass service) {
  const auto found = std::find_if(accounts_.begin(), accounts_.end(), [&](const Account& a) {
    return a.tenant == tenant && a.service == service;
  });
  if (found != accounts_.end()) return static_cast<int>(found - accounts_.begin());
  accounts_.push_back({tenant, service});
  return static_cast<int>(accounts_.size()) - 1;
}

int Turns::open(uint64_t tenant, ServiceClass service, int sequences) {
  if (free_requests_.empty()) {
    free_requests_.push_back(static_cast<int>(requests_.size()));
    requests_.emplace_back();
    free_requests_.reserve(requests_.capacity());
  }
  const int request = free_requests_.back();
  free_requests_.pop_back();
  requests_[static_cast<size_t>(request)] = {account(tenant, service), sequences, 0};
  return request;
}

void Turns::close(int request) {
  Request& r = requests_[static_cast<size_t>(request)];
  if (--r.sequences > 0) return;
  CHECK(r.sequences == 0 && r.places == 0);
  free_requests_.push_back(request);
}

void Turns::hold(int request, int more) {
  Request& r = requests_[static_cast<size_t>(request)];
  r.places += more;
  at(r.account).places += more;
  places_ += more;
  CHECK(r.places >= 0);
}

// What a tenant was given while nobody else wanted it is not held against it for long.
void Turns::charge(int account, int rows) {
  at(account).credit = std::max(at(account).credit - rows, -kDebt);
}

void Turns::ask(int account) { at(account).wish = Wish::kAsks; }

void Turns::forget() {
  for (Account& a : accounts_) a.wish = Wish::kNone;
}

// As many rounds as it takes until the one with `most` has credit. All get it, but nobody saves up
// more than a quantum: who was away comes back as an equal.
void Turns::pay_out(ServiceClass service, int64_t most) {
  const int64_t rounds = -most / kQuantum + 1;
  for (Account& a : accounts_)
    if (a.service == service) a.credit = std::min(a.credit + rounds * kQuantum, kQuantum);
}

int Turns::next(ServiceClass service) {
  bool asked = false;
  int64_t most = std::numeric_limits<int64_t>::min();
  for (const Account& a : accounts_) {
    if (a.wish == Wish::kNone || a.service != service) continue;
    asked |= a.wish == Wish::kAsks;
    most = std::max(most, a.credit);
  }
  if (!asked) return -1;
  int from = turn_[static_cast<size_t>(service)];
  if (most <= 0) pay_out(service, most), ++from;  // a new round: the turn passes on
  const int count = static_cast<int>(accounts_.size());
  int best = -1;
  for (int i = 0; i < count; ++i) {
    const int candidate = (from + i) % count;
    const Account& a = at(candidate);
    if (a.wish != Wish::kAsks || a.service != service) continue;
    if (a.credit > 0) return candidate;
    if (best < 0 || a.credit > at(best).credit) best = candidate;
  }
  return best;
}

}  // namespace aictl::inference
