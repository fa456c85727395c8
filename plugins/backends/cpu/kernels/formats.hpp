// How each tile format turns bytes into codes and scales, once for every instruction set. Include
// inside the file's target region only.
//
// A format has: kBits of a code, kOffset taken off it, kMins (adds sx * m), kHalves (a scale for
// each half block), codes(block, vector), scale(block or half
// block), min(block).
#pragma once

#include "plugins/backends/cpu/kernels/tile.hpp"

namespace aictl::cpu {

template <typename V>
struct Q8Tile {
  static constexpr TileKind kKind = TileKind::kQ8_0;
  static constexpr int kBits = 8, kOffset = 128, kBlockBytes = 512;
  static constexpr bool kMins = false, kHalves = false;
  const std::byte* group;
  const std::byte* scales;

  [[gnu::always_inline]] Q8Tile(const std::byte* g, int blocks)
      : group(g), scales(g + blocks * kBlockBytes) {}
  [[gnu::always_inline]] typename V::Codes codes(int b, int j) const {
    return V::load_codes(group + b * kBlockBytes + j * kVector);
  }
  [[gnu::always_inline]] typename V::F32 scale(int b) const { return V::from_f16(scales + b * 32); }
};

// The nibbles all 4-, 5- and 6-bit formats share.
template <typename V, int kBytesOfBlock>
struct Nibbles {
  static constexpr int kBlockBytes = kBytesOfBlock;
  const std::byte* group;

  [[gnu::always_inline]] typename V::Codes nibbles(int b, int j) const {
    const typename V::Codes both = V::load_codes(group + b * kBlockBytes + j % 4 * kVector);
    return V::bits(both, j < 4 ? 0 : 4, 15);
  }
  [[gnu::always_inline]] typename V::Codes above(int b, int vector) const {
    return V::load_codes(group + b * kBlockBytes + kNibbleBytes + vector * kVector);
  }
};

template <typename V>
struct Q4Tile : Nibbles<V, kNibbleBytes> {
  static constexpr TileKind kKind = TileKind::kQ4_0;
  static constexpr int kBits = 4, kOffset = 8;
  static constexpr bool kMins = false, kHalves = false;
  const std::byte* scales;

  [[gnu::always_inline]] Q4Tile(const std::byte* g, int blocks)
      : Nibbles<V, kNibbleBytes>{g}, scales(g + blocks * kNibbleBytes) {}
  [[gnu::always_inline]] typename V::Codes codes(int b, int j) const { return this->nibbles(b, j); }
  [[gnu::always_inline]] typename V::F32 scale(int b) const { return V::from_f16(scales + b * 32); }
};

// Scales and minimums of Q4_K and Q5_K: bytes times an f16 of the group; both products are exact.
template <typename V, typename Planes>
struct KScales : Nibbles<V, Planes::kBlockBytes> {
  static constexpr int kOffset = 0;
  static constexpr bool kMins = true, kHalves = false;
  typename V::F32 d, dmin;

  [[gnu::always_inline]] explicit KScales(const std::byte* g)
      : Nibbles<V, Planes::kBlockBytes>{g},
        d(V::from_f16(g + Planes::kD)),
        dmin(V::from_f16(g + Planes::kDMin)) {}
  [[gnu::always_inline]] typename V::F32 scale(int b) const {
    return V::mul(V::from_u8(this->group + Planes::kScales + b * kLanes), d);
  }
  [[gnu::always_inline]] typename V::F32 min(int b) const {
    return V::mul(V::from_u8(this->group + Planes::kMins + b * kLanes), dmin);
  }
};

template <typename V>
struct Q4KTile : KScales<V, Q4KPlanes> {
  static constexpr TileKind kKind = TileKind::kQ4_K;
  static constexpr int kBits = 4;

  [[gnu::always_inline]] Q4KTile(const std::byte* g, int) : KScales<V, Q4KPlanes>(g) {}
  [[gnu::always_inline]] typename V::Codes codes(int b, int j) const { return this->nibbles(b, j); }
};

template <typename V>
struct Q5KTile : KScales<V, Q5KPlanes> {
  static constexpr TileKind kKind = TileKind::kQ5_K;
  static constexpr int kBits = 5;

  [[gnu::always_inline]] Q5KTile(const std::byte* g, int) : KScales<V, Q5KPlanes>(g) {}
  [[gnu::always_inline]] typename V::Codes codes(int b, int j) const {
    return V::either(this->nibbles(b, j), V::high_bits(this->above(b, 0), j, 1));
  }
};

template <typename V>
struct Q6KTile : Nibbles<V, Q6KPlanes::kBlockBytes> {
  static constexpr TileKind kKind = TileKind::kQ6_K;
  static constexpr int kBits = 6, kOffset = 32;
  static constexpr bool kMins = false, kHalves = true;
  typename V::F32 d;

  [[gnu::always_inline]] Q6KTile(const std::byte* g, int)
      : Nibbles<V, Q6KPlanes::kBlockBytes>{g}, d(V::from_f16(g + Q6KPlanes::kD)) {}
  [[gnu::always_inline]] typename V::Codes codes(int b, int j) const {
    return V::either(this->nibbles(b, j), V::high_bits(this->above(b, j / 4), j % 4 * 2, 3));
  }
  [[gnu::always_inline]] typename V::F32 scale(int half) const {
    return V::mul(V::from_i8(this->group + Q6KPlanes::kScales + half * kLanes), d);
  }
};

// Any of them after unpacking.
template <typename V, typename Packed>
struct UnpackedTile {
  static constexpr int kBits = Packed::kBits, kOffset = Packed::kOffset;
  static constexpr bool kMins = Packed::kMins, kHalves = Packed::kHalves;
  const UnpackedGroup* unpacked;

  [[gnu::always_inline]] UnpackedTile(const std::byte* g, int)
      : unpacked(reinterpret_cast<const UnpackedGroup*>(g)) {}
  [[gnu::always_inline]] typename V::Codes codes(int b, int j) const {
    return V::load_codes(unpacked->codes[b][j]);
  }
  [[gnu::always_inline]] typename V::F32 scale(int b) const { return V::load(unpacked->d[b]); }
  [[gnu::always_inline]] typename V::F32 min(int b) const { return V::load(unpacked->m[b]); }
};

}  // namespace aictl::cpu
