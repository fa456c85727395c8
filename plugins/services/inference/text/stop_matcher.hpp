// Stop strings in a stream of text (Aho and Corasick 1975): one step a byte, whatever the number of
// strings and however the stream is cut. Text that may be the beginning of one waits inside.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace aictl {

class StopMatcher {
 public:
  static constexpr size_t kMaxStops = 64;
  static constexpr size_t kMaxTotalBytes = size_t{64} << 10;

  /// With `include_stop` the stop string itself is part of the output. Errors: kInvalidArgument for
  /// an empty string, or above the limits.
  static Result<StopMatcher> make(std::span<const std::string> stops, bool include_stop = false);

  /// Takes the next part of the stream and appends to `out` what is certain to stay. Returns the
  /// index of the stop string that completes first (of several at one byte the longest); what
  /// follows it is dropped, now and in later calls.
  std::optional<size_t> push(std::string_view text, std::string& out);

  /// The stream has ended: what waited is appended.
  void flush(std::string& out);

  /// The stop string that was found.
  std::optional<size_t> stopped() const { return stopped_; }

  /// Bytes that wait because they may begin a stop string.
  size_t held() const { return nodes_.empty() ? 0 : nodes_[state_].depth; }

 private:
  static constexpr uint32_t kRoot = 0;

  struct Node {
    uint32_t first_child = 0, next_sibling = 0;  // 0: none
    uint32_t failure = kRoot;                    // longest proper suffix that is a prefix
    uint32_t depth = 0;
    uint32_t stop = 0;           // a stop string this node is a prefix of
    std::optional<size_t> ends;  // the longest stop string that ends here
    char byte = 0;
  };

  StopMatcher() = default;
  void add(size_t index);
  void link();
  uint32_t child(uint32_t node, char byte) const;
  uint32_t step(uint32_t node, char byte) const;
  std::string_view path(uint32_t node) const;

  std::vector<std::string> stops_;
  bool include_stop_ = false;
  std::vector<Node> nodes_;
  std::array<uint32_t, 256> root_{};  // children of the root by byte
  uint32_t state_ = kRoot;
  std::optional<size_t> stopped_;
};

}  // namespace aictl
