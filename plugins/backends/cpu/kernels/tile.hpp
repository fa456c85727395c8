// The one layout of matrices: panels of 16 output rows, one lane a row, 32 inputs a block. What a
// panel holds in which format, and the activations that meet it.
//
// A group is 256 inputs (8 blocks) of one panel, its codes first, then its scales; the last group
// of a Q8_0 or Q4_0 row may be shorter. A strip is 32 rows: two panels whose groups alternate, so
// that a matrix is read front to back as one stream. Codes are unsigned with an offset: in vector j
// of a block, the 4 bytes of lane r are inputs 4j..4j+3 of row r. 4-bit formats keep vectors 0..3
// in the low nibbles and 4..7 in the high ones.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/tensor/dtype.hpp"

namespace aictl::cpu {

inline constexpr int kLanes = 16;           // rows a panel
inline constexpr int kStripRows = 32;       // rows a strip: two panels
inline constexpr int kBlock = 32;           // inputs a block
inline constexpr int kGroup = 256;          // inputs a group
inline constexpr int kGroupBlocks = 8;      // blocks a group
inline constexpr int kVector = 64;          // bytes a vector of codes
inline constexpr int kVectorsPerBlock = 8;  // of 8-bit codes

/// How the rows of a panel are kept. The first five have block scales and meet int8 activations,
/// the others meet f32 ones.
enum class TileKind : uint8_t { kQ8_0, kQ4_0, kQ4_K, kQ5_K, kQ6_K, kF32, kF16, kBF16 };
inline constexpr int kQuantizedKinds = 5;
inline constexpr int kTileKinds = 8;

constexpr bool is_dense(TileKind kind) { return kind >= TileKind::kF32; }

// Bytes of a block's codes: vectors of nibbles, then of the bits above them, so that a group is
// read forward; and bytes before each plane of scales of a whole group of a K-quant panel.
// Sub-scales and mins are bytes, [block][16 rows] (Q6_K: int8, [half block][16 rows]); d and dmin
// f16, [16 rows].
inline constexpr int kNibbleBytes = 256;
struct Q4KPlanes {
  static constexpr int kBlockBytes = kNibbleBytes;
  static constexpr int kScales = 2048, kMins = 2176, kD = 2304, kDMin = 2336, kBytes = 2368;
};
struct Q5KPlanes {  // bit j of byte c of a lane's word is the fifth bit of input 4j+c
  static constexpr int kBlockBytes = kNibbleBytes + kVector;
  static constexpr int kScales = 2560, kMins = 2688, kD = 2816, kDMin = 2848, kBytes = 2880;
};
struct Q6KPlanes {  // two words a lane: bits 2i, 2i+1 of byte c of word w belong to input 16w+4i+c
  static constexpr int kBlockBytes = kNibbleBytes + 2 * kVector;
  static constexpr int kScales = 3072, kD = 3328, kBytes = 3392;
};

constexpr size_t round_up(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }

/// Bytes of a group of `blocks` blocks of one panel.
constexpr size_t group_bytes(TileKind kind, int blocks) {
  const size_t n = static_cast<size_t>(blocks);
  switch (kind) {
    case TileKind::kQ8_0:
      return n * 512 + round_up(n * 32, kVector);
    case TileKind::kQ4_0:
      return n * 256 + round_up(n * 32, kVector);
    case TileKind::kQ4_K:
      return Q4KPlanes::kBytes;
    case TileKind::kQ5_K:
      return Q5KPlanes::kBytes;
    case TileKind::kQ6_K:
      return Q6KPlanes::kBytes;
    case TileKind::kF32:
      return n * kBlock * kLanes * 4;
    case TileKind::kF16:
    case TileKind::kBF16:
      return n * kBlock * kLanes * 2;
  }
  return 0;
}

/// Bytes of a strip of `cols` inputs. Dense strips are [col][32 rows].
constexpr size_t strip_bytes(TileKind kind, int64_t cols) {
  if (is_dense(kind))
    return static_cast<size_t>(cols) * kStripRows * (kind == TileKind::kF32 ? 4 : 2);
  const int64_t whole = cols / kGroup, rest = cols % kGroup;
  const size_t tail = rest == 0 ? 0 : group_bytes(kind, static_cast<int>(rest / kBlock));
  return 2 * (static_cast<size_t>(whole) * group_bytes(kind, kGroupBlocks) + tail);
}

/// One token's quantised inputs of a group: x[i] is about q[i] * dx[i / 32].
struct alignas(kVector) ActGroup {
  int8_t q[kGroup];
  float dx[kGroupBlocks];           // scale of each block
  float sx[kGroupBlocks];           // -dx * sum of the block's q
  float half_sx[2 * kGroupBlocks];  // the same of each half block
};

/// One panel's group with 8-bit codes and f32 scales, as the matrix-matrix kernel reads it.
struct alignas(kVector) UnpackedGroup {
  uint8_t codes[kGroupBlocks][kVectorsPerBlock][kVector];
  float d[2 * kGroupBlocks][kLanes];  // of blocks, or of half blocks (Q6_K)
  float m[kGroupBlocks][kLanes];      // minimums, of formats that have them
};

}  // namespace aictl::cpu
