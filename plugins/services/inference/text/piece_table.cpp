#include "plugins/services/inference/text/piece_table.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace aictl {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr uint64_t kSeed = 0x9E3779B97F4A7C15, kFactor = 0xD6E8FEB86659FD93;

// The two halves of a full product folded together: every bit of the input reaches every bit.
uint64_t fold(uint64_t a, uint64_t b) {
  const Wide product = Wide{a} * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// Up to eight bytes as a number.
uint64_t load(const char* bytes, size_t count) {
  uint64_t word = 0;
  if (count != 0) std::memcpy(&word, bytes, count);  // of nothing, the pointer may be null
  return word;
}

}  // namespace

uint64_t hash_bytes(std::string_view bytes) {
  uint64_t hash = kSeed ^ bytes.size();
  while (bytes.size() > 8) {
    hash = fold(hash ^ load(bytes.data(), 8), kFactor);
    bytes.remove_prefix(8);
  }
  return fold(hash ^ load(bytes.data(), bytes.size()), kFactor ^ kSeed << 1);
}

void PieceTable::reserve(size_t pieces, size_t bytes) {
  bytes_.reserve(bytes);
  offsets_.reserve(pieces + 1);
  const size_t slots = std::bit_ceil(pieces * 2 + 16);
  if (slots > slots_.size()) grow(slots);
}

bool PieceTable::append(std::string_view text) {
  bytes_ += text;
  offsets_.push_back(static_cast<uint32_t>(bytes_.size()));
  if ((used_ + 1) * 2 > slots_.size()) grow(std::max<size_t>(16, slots_.size() * 2));
  const bool is_new =
      place(static_cast<uint32_t>(hash_bytes(text)), static_cast<uint32_t>(size() - 1));
  if (is_new) ++used_;
  return is_new;
}

uint32_t PieceTable::intern(std::string_view text) {
  const uint32_t known = find(text);
  if (known != kNone) return known;
  append(text);
  return static_cast<uint32_t>(size() - 1);
}

uint32_t PieceTable::find(std::string_view text) const {
  if (slots_.empty()) return kNone;
  const size_t mask = slots_.size() - 1;
  const auto hash = static_cast<uint32_t>(hash_bytes(text));
  for (size_t at = hash & mask; slots_[at] != 0; at = (at + 1) & mask) {
    const auto index = static_cast<uint32_t>(slots_[at]) - 1;
    if (slots_[at] >> 32 == hash && (*this)[index] == text) return index;
  }
  return kNone;
}

void PieceTable::prefetch(std::string_view text) const {
  if (slots_.empty()) return;
  __builtin_prefetch(&slots_[static_cast<uint32_t>(hash_bytes(text)) & (slots_.size() - 1)]);
}

void PieceTable::grow(size_t slots) {
  const std::vector<uint64_t> old = std::exchange(slots_, std::vector<uint64_t>(slots));
  for (const uint64_t slot : old)
    if (slot != 0) place(static_cast<uint32_t>(slot >> 32), static_cast<uint32_t>(slot) - 1);
}

// False when an earlier index has the same text.
bool PieceTable::place(uint32_t hash, uint32_t index) {
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  uint32_t probes = 1;
  for (; slots_[at] != 0; at = (at + 1) & mask, ++probes)
    if (slots_[at] >> 32 == hash &&
        (*this)[static_cast<uint32_t>(slots_[at]) - 1] == (*this)[index])
      return false;
  slots_[at] = uint64_t{hash} << 32 | (index + 1);
  longest_probe_ = std::max(longest_probe_, probes);
  return true;
}

}  // namespace aictl
