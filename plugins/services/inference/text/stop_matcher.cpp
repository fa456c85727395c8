#include "plugins/services/inference/text/stop_matcher.hpp"

#include <fmt/format.h>

#include <utility>

namespace aictl {

Result<StopMatcher> StopMatcher::make(std::span<const std::string> stops, bool include_stop) {
  if (stops.size() > kMaxStops)
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} stop strings; the limit is {}", stops.size(), kMaxStops), ""};
  StopMatcher made;
  made.include_stop_ = include_stop;
  size_t bytes = 0;
  for (const std::string& stop : stops) {
    bytes += stop.size();
    if (stop.empty()) return Error{ErrorCode::kInvalidArgument, "a stop string is empty", ""};
    if (bytes > kMaxTotalBytes)
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("stop strings of more than {} bytes in all", kMaxTotalBytes), ""};
  }
  if (stops.empty()) return made;
  made.stops_.assign(stops.begin(), stops.end());
  made.nodes_.resize(1);
  for (size_t i = 0; i < stops.size(); ++i) made.add(i);
  made.link();
  return made;
}

// Puts one stop string into the tree of prefixes.
void StopMatcher::add(size_t index) {
  uint32_t node = kRoot;
  for (const char byte : stops_[index]) {
    uint32_t next = child(node, byte);
    if (next == kRoot) {
      next = static_cast<uint32_t>(nodes_.size());
      Node& made = nodes_.emplace_back();
      made.next_sibling = std::exchange(nodes_[node].first_child, next);
      made.depth = nodes_[node].depth + 1;
      made.stop = static_cast<uint32_t>(index);
      made.byte = byte;
      if (node == kRoot) root_[static_cast<unsigned char>(byte)] = next;
    }
    node = next;
  }
  if (!nodes_[node].ends) nodes_[node].ends = index;  // of equal strings the first counts
}

// Failure links, nearest nodes first, so that each finds its parent's done.
void StopMatcher::link() {
  std::vector<uint32_t> queue = {kRoot};
  for (size_t i = 0; i < queue.size(); ++i) {
    const uint32_t parent = queue[i];
    for (uint32_t node = nodes_[parent].first_child; node != 0; node = nodes_[node].next_sibling) {
      queue.push_back(node);
      if (parent == kRoot) continue;
      nodes_[node].failure = step(nodes_[parent].failure, nodes_[node].byte);
      if (!nodes_[node].ends) nodes_[node].ends = nodes_[nodes_[node].failure].ends;
    }
  }
}

uint32_t StopMatcher::child(uint32_t node, char byte) const {
  if (node == kRoot) return root_[static_cast<unsigned char>(byte)];
  uint32_t next = nodes_[node].first_child;
  while (next != 0 && nodes_[next].byte != byte) next = nodes_[next].next_sibling;
  return next;
}

uint32_t StopMatcher::step(uint32_t node, char byte) const {
  for (;; node = nodes_[node].failure) {
    const uint32_t next = child(node, byte);
    if (next != 0 || node == kRoot) return next;
  }
}

std::string_view StopMatcher::path(uint32_t node) const {
  return std::string_view(stops_[nodes_[node].stop]).substr(0, nodes_[node].depth);
}

// What waits is always the path from the root to the present state. After a byte the new path is a
// suffix of old path + byte, and what stands before it goes out.
std::optional<size_t> StopMatcher::push(std::string_view text, std::string& out) {
  if (stopped_) return stopped_;
  if (nodes_.empty()) {
    out += text;
    return std::nullopt;
  }
  for (const char byte : text) {
    const std::string_view held = path(state_);
    const uint32_t next = step(state_, byte);
    size_t free = held.size() + 1 - nodes_[next].depth;  // bytes that no longer wait
    if (nodes_[next].ends) {
      stopped_ = nodes_[next].ends;
      const std::string& stop = stops_[*stopped_];
      free += nodes_[next].depth - (include_stop_ ? 0 : stop.size());
    }
    out += held.substr(0, free);
    if (free > held.size()) out.push_back(byte);
    state_ = stopped_ ? kRoot : next;
    if (stopped_) return stopped_;
  }
  return std::nullopt;
}

void StopMatcher::flush(std::string& out) {
  if (nodes_.empty()) return;
  out += path(state_);
  state_ = kRoot;
}

}  // namespace aictl
