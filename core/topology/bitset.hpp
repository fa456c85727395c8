// Bitset: a set of logical CPUs or of NUMA nodes, by operating-system index; and the three ways
// people write one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace aictl::topology {

/// A finite set of indexes from 0. Plain value; equal sets compare equal.
class Bitset {
 public:
  /// Past this no machine goes; larger indexes in text are refused.
  static constexpr int kMaxIndex = 65535;

  void set(int index);
  void clear(int index);
  bool test(int index) const;
  int count() const;
  bool empty() const { return words_.empty(); }
  /// The smallest and the largest index; -1 when empty.
  int first() const;
  int last() const;
  std::vector<int> indexes() const;

  Bitset operator|(const Bitset& other) const;
  Bitset operator&(const Bitset& other) const;
  /// What is here and not in `other`.
  Bitset operator-(const Bitset& other) const;
  bool contains(const Bitset& other) const { return (other - *this).empty(); }
  bool intersects(const Bitset& other) const { return !(*this & other).empty(); }
  bool operator==(const Bitset&) const = default;

  /// "0-3,8": ranges, as /sys and taskset -c write them. Empty text for the empty set.
  std::string list() const;
  /// "0x0000010f": one hexadecimal number, as taskset prints it.
  std::string taskset() const;
  /// "0x00000001,0x0000010f": words of 32 bits, highest first, as hwloc prints it.
  std::string hex() const;

  /// Reads a list ("0-3,8"; also "0-15:2" with a stride).
  /// Errors: kInvalidArgument naming the part that does not read.
  static Result<Bitset> parse_list(std::string_view text);
  /// Reads hexadecimal: words of 32 bits with commas, with or without 0x, or one long number.
  static Result<Bitset> parse_hex(std::string_view text);
  /// Reads whichever form `text` has: 0x, 8-digit words or a letter means hexadecimal, else a list.
  /// Errors: kInvalidArgument; also for 1e9, which people mean as a number.
  static Result<Bitset> parse(std::string_view text);

 private:
  void trim();  // drops high words that are zero, so that equality is of sets
  std::vector<uint64_t> words_;
};

}  // namespace aictl::topology
