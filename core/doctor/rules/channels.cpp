// The rule about memory channels: what DMI says of the slots, and what reads of memory reach.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>

#include <fmt/format.h>

#include "core/base/units.hpp"
#include "core/doctor/rules/rules.hpp"

namespace aictl::doctor {
namespace {

constexpr double kBytesAtOnce = 8;  // of a channel
constexpr double kThreadGbs = 10;   // what a core draws at least: few cores do not show channels
constexpr double kReached = 0.5;    // of what the modules give: reads of a sound machine do

/// One memory slot, from DMI's own table or from what a capture has of it.
struct Slot {
  std::string name, bank;
  uint64_t bytes = 0;
  int speed = 0;
};

/// "DIMM_A1; NODE 0; 4294967296 B; 1600 MT/s", as the sysfs source writes it.
std::optional<Slot> parse_slot(const std::string& text) {
  const size_t first = text.find("; ");
  const size_t second = first == std::string::npos ? first : text.find("; ", first + 2);
  if (second == std::string::npos) return std::nullopt;
  Slot slot{text.substr(0, first), text.substr(first + 2, second - first - 2), 0, 0};
  char* rest = nullptr;
  slot.bytes = std::strtoull(text.c_str() + second + 2, &rest, 10);
  if (std::string_view(rest).starts_with(" B; ")) slot.speed = std::atoi(rest + 4);
  return slot;
}

std::vector<Slot> slots_of(const Topology& machine) {
  std::vector<Slot> slots;
  for (const auto& [key, value] : machine.system.settings)
    if (key.starts_with("dimm."))
      if (auto slot = parse_slot(value)) slots.push_back(std::move(*slot));
  return slots;
}

/// "DIMM_A" of "DIMM_A1": the last digits count the slots of a channel.
std::string without_number(std::string name) {
  while (!name.empty() && std::isdigit(static_cast<unsigned char>(name.back())) != 0)
    name.pop_back();
  return name;
}

struct Channel {
  uint64_t bytes = 0;
  int speed = 0;  // of its slowest module, in MT/s

  void add(const Slot& slot) {
    bytes += slot.bytes;
    if (slot.bytes > 0 && slot.speed > 0)
      speed = speed > 0 ? std::min(speed, slot.speed) : slot.speed;
  }
};

/// Slots are named after their channels, or their banks are.
std::map<std::string, Channel> channels_of(const std::vector<Slot>& slots) {
  std::map<std::string, Channel> by_name, by_bank;
  for (const Slot& slot : slots) {
    by_name[without_number(slot.name)].add(slot);
    by_bank[slot.bank].add(slot);
  }
  return by_name.size() > 1 ? by_name : by_bank;
}

/// Channels that are not filled as others are.
std::optional<Finding> gaps_in(const std::vector<Slot>& slots,
                               const std::map<std::string, Channel>& channels) {
  std::map<int, int> speeds;
  int filled = 0;
  for (const Slot& slot : slots) {
    if (slot.bytes == 0) continue;
    ++filled;
    if (slot.speed > 0) ++speeds[slot.speed];
  }
  uint64_t most = 0;
  size_t empty = 0, uneven = 0;
  for (const auto& row : channels) most = std::max(most, row.second.bytes);
  for (const auto& row : channels)
    if (row.second.bytes != most) ++(row.second.bytes == 0 ? empty : uneven);
  if (empty + uneven == 0 && speeds.size() < 2) return std::nullopt;
  const double loss = double(empty) / double(channels.size());
  return Finding{
      "",
      Severity::kWarn,
      empty == 0 ? "memory channels are filled unevenly" : "memory channels are empty",
      fmt::format("{} of {} slots filled; of {} channels {} are empty, {} hold less, {} speeds",
                  filled, slots.size(), channels.size(), empty, uneven, speeds.size()),
      empty == 0 ? "part of the memory is not interleaved over all channels"
                 : fmt::format("{} of the memory bandwidth, and decode speed on the CPU with it",
                               percent(loss)),
      "put equal modules into every channel: sudo dmidecode -t memory lists the slots",
      empty == 0 ? 0.1 : loss};
}

/// Reads that reach less than the modules and the threads that read would let one expect.
std::optional<Finding> slow_reads(const Input& input,
                                  const std::map<std::string, Channel>& channels) {
  const auto& reads = input.workload.reads;
  if (!reads) return std::nullopt;
  double modules = 0;
  for (const auto& row : channels) modules += row.second.speed * kBytesAtOnce / 1000;
  const double expected = std::min(modules, reads->threads * kThreadGbs);
  if (expected <= 0 || reads->gbs >= expected * kReached) return std::nullopt;
  const double loss = 1 - reads->gbs / expected;
  return Finding{
      "",
      Severity::kWarn,
      "memory is slower than its modules",
      fmt::format("{} threads read {:.1f} GB/s; the modules give {:.0f}, so many threads "
                  "draw {:.0f}",
                  reads->threads, reads->gbs, modules, reads->threads * kThreadGbs),
      fmt::format("{} of the decode speed on the CPU", percent(loss)),
      "look in the BIOS for channels that are off, interleaving and the memory's clock; "
      "see what else reads memory now",
      loss};
}

}  // namespace

Verdict memory_channels(const Input& input) {
  const auto slots = slots_of(input.now());
  if (slots.size() < 2) return Verdict::skip("the memory slots are not known (DMI needs root)");
  if (std::ranges::all_of(slots, [](const Slot& slot) { return slot.bytes == 0; }))
    return Verdict::skip("no slot tells the size of its module");
  const auto channels = channels_of(slots);
  Verdict verdict;
  if (channels.size() > 1)
    if (auto gaps = gaps_in(slots, channels)) verdict.findings.push_back(*std::move(gaps));
  if (auto slow = slow_reads(input, channels)) verdict.findings.push_back(*std::move(slow));
  return verdict;
}

}  // namespace aictl::doctor
