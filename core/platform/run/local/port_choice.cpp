#include "core/platform/run/local/port_choice.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/platform/run/local/choose.hpp"

namespace aictl::platform {
namespace {

bool is_listener(const Instance& instance) {
  return instance.workload->component == Component::kGateway;
}

bool tells_port(const Word& word, const Port& port, bool is_first) {
  for (const Piece& piece : word) {
    const auto* reference = std::get_if<Reference>(&piece);
    if (!reference ||
        (reference->kind != Reference::Kind::kListen && reference->kind != Reference::Kind::kPort))
      continue;
    if (reference->target == port.name || (reference->target.empty() && is_first)) return true;
  }
  return false;
}

// Whether the process is told its port: else it listens where it always does.
bool is_told(const Instance& instance, size_t index) {
  const Workload& w = *instance.workload;
  const auto tells = [&](const Word& word) { return tells_port(word, w.ports[index], index == 0); };
  return std::any_of(w.argv.begin(), w.argv.end(), tells) ||
         std::any_of(w.environment.begin(), w.environment.end(),
                     [&](const EnvironmentVariable& each) { return tells(each.value); }) ||
         std::any_of(w.mounts.begin(), w.mounts.end(),
                     [&](const Mount& each) { return tells(each.content); });
}

class Chooser {
 public:
  Chooser(const PortChoice& choice, const PortTable& table, std::vector<std::string>& notes)
      : choice_(choice), table_(table), notes_(notes) {}

  // Gives port `index` the number it wishes for, if it can have it.
  Result<void> wish(Instance& instance, size_t index) {
    const Port& port = instance.workload->ports[index];
    if (choice_.free && is_told(instance, index)) return {};
    const auto [holder, is_new] = ours_.try_emplace(port.number, instance.name);
    if (!is_new && (is_listener(instance) || !is_told(instance, index)))
      return Error{ErrorCode::kDataRefused,
                   fmt::format("'{}' and '{}' both want port {}", holder->second, instance.name,
                               port.number),
                   "give one of them another port"};
    if (!is_new) return {};
    if (table_.is_free(port.number)) {
      instance.ports[index].second = port.number;
      return {};
    }
    const std::string owner = table_.owner(port.number);
    const std::string who = owner.empty() ? "something that is hidden from us" : owner;
    const bool fixed = is_listener(instance) || !is_told(instance, index) ||
                       (index == 0 && local_replicas(*instance.workload) == 1);
    if (fixed && choice_.taken) {
      instance.ports[index].second = port.number;
      notes_.push_back(
          fmt::format("port {} of '{}' is taken by {}", port.number, instance.name, who));
    } else if (fixed && port.number < 1024 && owner.empty()) {
      taken_.push_back(fmt::format("port {} of '{}' is below 1024, which needs privileges",
                                   port.number, instance.name));
    } else if (fixed) {
      taken_.push_back(
          fmt::format("port {} of '{}' is taken by {}", port.number, instance.name, who));
    } else {
      notes_.push_back(fmt::format("port {} is taken by {}: '{}' gets another", port.number, who,
                                   instance.name));
    }
    return {};
  }

  // A number for what has none yet.
  Result<void> move(Instance& instance, size_t index) {
    int& number = instance.ports[index].second;
    if (number != 0 || !taken_.empty()) return {};
    number = choice_.free ? kernels_choice() : next_free(instance.workload->ports[index].number);
    if (number == 0)
      return Error{ErrorCode::kResourceExhausted,
                   fmt::format("no port is free for '{}'", instance.name), ""};
    ours_.emplace(number, instance.name);
    return {};
  }

  Result<void> end() const {
    if (taken_.empty()) return {};
    return Error{ErrorCode::kConflict, fmt::format("{}", fmt::join(taken_, "; ")),
                 "stop that, give it another port in the spec, or take free ones: --free-ports"};
  }

 private:
  int kernels_choice() const {
    for (int tries = 0; tries < 100; ++tries)
      if (const int port = table_.any_free(); port == 0 || !ours_.contains(port)) return port;
    return 0;
  }
  int next_free(int wished) const {
    for (int port = wished + 1; port <= 65535; ++port)
      if (!ours_.contains(port) && table_.is_free(port)) return port;
    return 0;
  }

  const PortChoice& choice_;
  const PortTable& table_;
  std::vector<std::string>& notes_;
  std::map<int, std::string> ours_;  // whose each number is
  std::vector<std::string> taken_;
};

}  // namespace

Result<void> choose_ports(std::vector<Instance>& instances, const PortChoice& choice,
                          const PortTable& table, std::vector<std::string>& notes) {
  Chooser chooser(choice, table, notes);
  for (Instance& instance : instances)
    for (const Port& port : instance.workload->ports) instance.ports.emplace_back(port.name, 0);
  // Listeners first, then those who cannot be told another port, then the wishes of the others, and
  // last those who have to move.
  const auto rank = [](const Instance& instance, size_t index) {
    return is_listener(instance) ? 0 : is_told(instance, index) ? 2 : 1;
  };
  for (const int turn : {0, 1, 2})
    for (Instance& instance : instances)
      for (size_t i = 0; i < instance.ports.size(); ++i)
        if (rank(instance, i) == turn)
          if (auto ok = chooser.wish(instance, i); !ok) return ok;
  for (Instance& instance : instances)
    for (size_t i = 0; i < instance.ports.size(); ++i)
      if (auto ok = chooser.move(instance, i); !ok) return ok;
  return chooser.end();
}

}  // namespace aictl::platform
