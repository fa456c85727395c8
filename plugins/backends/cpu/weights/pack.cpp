// From a file's blocks to the tile. A row of the table decodes 32 codes of a file block and places
// its scales; the rest is common. A new format is one row and one function.
#include <cstring>

#include <fmt/format.h>

#include "plugins/backends/cpu/weights/matrix.hpp"

namespace aictl::cpu {
namespace {

using Codes = uint8_t[kBlock];

uint8_t byte_at(const std::byte* p, int i) { return std::to_integer<uint8_t>(p[i]); }

// The 8-bit codes of a block as 8 words of vector j, lane `lane`.
void put_bytes(const Codes& codes, int lane, std::byte* block) {
  for (int j = 0; j < kVectorsPerBlock; ++j)
    std::memcpy(block + j * kVector + 4 * lane, codes + 4 * j, 4);
}

// Low nibbles: inputs 0..15, high nibbles: inputs 16..31.
void put_nibbles(const Codes& codes, int lane, std::byte* block) {
  uint8_t packed[16];
  for (int i = 0; i < 16; ++i)
    packed[i] = static_cast<uint8_t>((codes[i] & 15) | codes[i + 16] << 4);
  for (int j = 0; j < 4; ++j) std::memcpy(block + j * kVector + 4 * lane, packed + 4 * j, 4);
}

void put_fifth_bits(const Codes& codes, int lane, std::byte* plane) {
  uint8_t word[4] = {};
  for (int i = 0; i < kBlock; ++i)
    word[i % 4] = static_cast<uint8_t>(word[i % 4] | (codes[i] >> 4 & 1) << (i / 4));
  std::memcpy(plane + 4 * lane, word, 4);
}

void put_high_pairs(const Codes& codes, int lane, std::byte* plane) {
  uint8_t words[2][4] = {};
  for (int i = 0; i < kBlock; ++i) {
    uint8_t& byte = words[i / 16][i % 4];
    byte = static_cast<uint8_t>(byte | (codes[i] >> 4 & 3) << (i / 4 % 4 * 2));
  }
  std::memcpy(plane + 4 * lane, words[0], 4);
  std::memcpy(plane + kVector + 4 * lane, words[1], 4);
}

void put_half(const std::byte* from, int lane, std::byte* plane) {
  std::memcpy(plane + 2 * lane, from, 2);
}

// Each packs one row's group: `row` is its first file block, `blocks` its blocks of 32.

void pack_q8_0(const std::byte* row, int blocks, int lane, std::byte* group) {
  for (int b = 0; b < blocks; ++b, row += 34) {
    Codes codes;
    for (int i = 0; i < kBlock; ++i) codes[i] = byte_at(row, 2 + i) ^ 0x80;  // q + 128
    put_bytes(codes, lane, group + b * 512);
    put_half(row, lane, group + blocks * 512 + b * 32);
  }
}

void pack_q4_0(const std::byte* row, int blocks, int lane, std::byte* group) {
  for (int b = 0; b < blocks; ++b, row += 18) {  // the file pairs nibbles as the tile does
    for (int j = 0; j < 4; ++j)
      std::memcpy(group + b * 256 + j * kVector + 4 * lane, row + 2 + 4 * j, 4);
    put_half(row, lane, group + blocks * 256 + b * 32);
  }
}

// The 6-bit sub-scale and minimum of sub-block b of a Q4_K or Q5_K block.
void put_scale_and_min(const std::byte* packed, int b, int lane, std::byte* scales,
                       std::byte* mins) {
  int scale, min;
  if (b < 4) {
    scale = byte_at(packed, b) & 63;
    min = byte_at(packed, b + 4) & 63;
  } else {
    scale = (byte_at(packed, b + 4) & 15) | byte_at(packed, b - 4) >> 6 << 4;
    min = byte_at(packed, b + 4) >> 4 | byte_at(packed, b) >> 6 << 4;
  }
  scales[b * kLanes + lane] = static_cast<std::byte>(scale);
  mins[b * kLanes + lane] = static_cast<std::byte>(min);
}

void pack_q4_k(const std::byte* row, int blocks, int lane, std::byte* group) {
  const std::byte* quants = row + 16;
  for (int b = 0; b < blocks; ++b) {
    Codes codes;
    const std::byte* pair = quants + b / 2 * 32;  // two sub-blocks share 32 bytes
    const int shift = b % 2 * 4;
    for (int i = 0; i < kBlock; ++i) codes[i] = byte_at(pair, i) >> shift & 15;
    put_nibbles(codes, lane, group + b * kNibbleBytes);
    put_scale_and_min(row + 4, b, lane, group + Q4KPlanes::kScales, group + Q4KPlanes::kMins);
  }
  put_half(row, lane, group + Q4KPlanes::kD);
  put_half(row + 2, lane, group + Q4KPlanes::kDMin);
}

void pack_q5_k(const std::byte* row, int blocks, int lane, std::byte* group) {
  const std::byte *fifth = row + 16, *quants = row + 48;
  for (int b = 0; b < blocks; ++b) {
    Codes codes;
    const std::byte* pair = quants + b / 2 * 32;
    const int shift = b % 2 * 4;
    for (int i = 0; i < kBlock; ++i)
      codes[i] = static_cast<uint8_t>((byte_at(pair, i) >> shift & 15) |
                                      (byte_at(fifth, i) >> b & 1) << 4);
    std::byte* block = group + b * Q5KPlanes::kBlockBytes;
    put_nibbles(codes, lane, block);
    put_fifth_bits(codes, lane, block + kNibbleBytes);
    put_scale_and_min(row + 4, b, lane, group + Q5KPlanes::kScales, group + Q5KPlanes::kMins);
  }
  put_half(row, lane, group + Q5KPlanes::kD);
  put_half(row + 2, lane, group + Q5KPlanes::kDMin);
}

void pack_q6_k(const std::byte* row, int blocks, int lane, std::byte* group) {
  for (int b = 0; b < blocks; ++b) {
    // Each half of 128 inputs has 64 low bytes and 32 high ones; sub-block b % 4 of it takes the
    // low or high nibbles of 32 low bytes, and two bits of every high byte.
    const std::byte* low = row + b / 4 * 64 + b % 2 * 32;
    const std::byte* high = row + 128 + b / 4 * 32;
    const int nibble = b % 4 / 2 * 4, pair = b % 4 * 2;
    Codes codes;
    for (int i = 0; i < kBlock; ++i)
      codes[i] = static_cast<uint8_t>((byte_at(low, i) >> nibble & 15) |
                                      (byte_at(high, i) >> pair & 3) << 4);
    std::byte* block = group + b * Q6KPlanes::kBlockBytes;
    put_nibbles(codes, lane, block);
    put_high_pairs(codes, lane, block + kNibbleBytes);
    for (int half = 2 * b; half < 2 * b + 2; ++half)
      group[Q6KPlanes::kScales + half * kLanes + lane] = row[192 + half];
  }
  put_half(row + 208, lane, group + Q6KPlanes::kD);
}

struct Packer {
  DType type;
  TileKind kind;
  void (*group)(const std::byte* row, int blocks, int lane, std::byte* group);  // null: dense
};

constexpr Packer kPackers[] = {
    {DType::kQ8_0, TileKind::kQ8_0, pack_q8_0}, {DType::kQ4_0, TileKind::kQ4_0, pack_q4_0},
    {DType::kQ4_K, TileKind::kQ4_K, pack_q4_k}, {DType::kQ5_K, TileKind::kQ5_K, pack_q5_k},
    {DType::kQ6_K, TileKind::kQ6_K, pack_q6_k}, {DType::kF32, TileKind::kF32, nullptr},
    {DType::kF16, TileKind::kF16, nullptr},     {DType::kBF16, TileKind::kBF16, nullptr},
};

void pack_dense_row(const std::byte* row, int64_t cols, int element, int lane, std::byte* strip) {
  for (int64_t k = 0; k < cols; ++k)
    std::memcpy(strip + (k * kStripRows + lane) * element, row + k * element,
                static_cast<size_t>(element));
}

}  // namespace

Result<TileKind> tile_kind(DType type) {
  for (const Packer& packer : kPackers)
    if (packer.type == type) return packer.kind;
  return Error{ErrorCode::kUnsupported,
               fmt::format("no tile for weights of type {}", format(type).name),
               "convert the model to Q8_0, Q4_0, Q4_K, Q5_K, Q6_K, F16, BF16 or F32"};
}

void pack_strip(TileKind kind, const TensorView& view, int64_t strip, std::byte* out) {
  const Packer& packer = kPackers[static_cast<int>(kind)];
  const FormatInfo& info = format(view.type);
  for (int r = 0; r < kStripRows; ++r) {
    const int64_t row = strip * kStripRows + r;
    if (row >= view.rows) return;
    const std::byte* from = view.data + static_cast<size_t>(row) * view.row_bytes;
    if (!packer.group) {
      pack_dense_row(from, view.cols, info.bytes, r, out);
      continue;
    }
    std::byte* to = out;
    for (int64_t k = 0; k < view.cols; k += kGroup) {
      const int64_t inputs = view.cols - k < kGroup ? view.cols - k : kGroup;
      const int blocks = static_cast<int>(inputs / kBlock);
      const size_t bytes = group_bytes(kind, blocks);
      packer.group(from, blocks, r % kLanes, to + static_cast<size_t>(r / kLanes) * bytes);
      from += inputs / info.block * info.bytes;
      to += 2 * bytes;
    }
  }
}

void unpack_row(const Kernels& kernels, const Matrix& matrix, int64_t row, float* out) {
  const std::byte* strip = matrix.strip(row / kStripRows);
  const int panel = static_cast<int>(row % kStripRows) / kLanes;
  const int lane = static_cast<int>(row % kLanes);
  if (is_dense(matrix.kind)) {
    const DType type = kPackers[static_cast<int>(matrix.kind)].type;
    const int element = format(type).bytes;
    for (int64_t k = 0; k < matrix.cols; ++k)
      dequant_row(type, strip + (k * kStripRows + row % kStripRows) * element, out + k, 1);
    return;
  }
  static constexpr int kOffsets[kQuantizedKinds] = {128, 8, 0, 0, 32};
  const int kind = static_cast<int>(matrix.kind);
  const int scales_per_block = matrix.kind == TileKind::kQ6_K ? 2 : 1;
  const bool mins = kOffsets[kind] == 0;
  UnpackedGroup group;
  for (int64_t k = 0; k < matrix.cols; k += kGroup) {
    const int64_t inputs = matrix.cols - k < kGroup ? matrix.cols - k : kGroup;
    const int blocks = static_cast<int>(inputs / kBlock);
    const size_t bytes = group_bytes(matrix.kind, blocks);
    kernels.unpack[kind](strip + static_cast<size_t>(panel) * bytes, blocks, &group);
    for (int i = 0; i < static_cast<int>(inputs); ++i) {
      const int code = group.codes[i / kBlock][i % kBlock / 4][4 * lane + i % 4] - kOffsets[kind];
      const float d = group.d[i * scales_per_block / kBlock][lane];
      const float min = mins ? group.m[i / kBlock][lane] : 0.0f;
      out[k + i] = d * static_cast<float>(code) - min;
    }
    strip += 2 * bytes;
  }
}

}  // namespace aictl::cpu
