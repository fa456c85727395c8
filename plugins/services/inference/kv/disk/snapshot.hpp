// The header of a snapshot file (.akv): whose KV blocks it holds, of which tokens, where each lies
// and what its bytes hash to. engine.md section 7. Little-endian:
//
//   8  "aictlKV\0"        4 version, 4 header bytes (a multiple of 4096)
//   8  model, layout, rope, adapter each; 16 hash of the salt
//   4  block tokens, block bytes, tokens, first block, blocks, 0
//   4  each token, from the first of the prompt to the last of the last block
//   32 each block: 8 offset, 8 bytes, 8 XXH3 of its bytes, 4 valid tokens, 4 zero
//   .. zeros; the header's last 8 bytes are XXH3 of all before them
//
// Then the blocks, each at a multiple of 4096 and filled up to one with zeros: a file that was cut
// anywhere has another size than its header says.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "plugins/services/inference/kv/disk/signature.hpp"

namespace aictl::inference {

inline constexpr int kMaxRunBlocks = 16;
inline constexpr size_t kSnapshotFixedBytes = 88;  // up to the tokens

struct SnapshotHeader {
  Signature signature;
  PrefixHash salt;              // salt_hash()
  std::vector<int32_t> tokens;  // of all blocks before and of these
  int first_block = 0;
  std::vector<uint64_t> hashes;  // of each block's bytes; 1..kMaxRunBlocks of them

  int blocks() const { return static_cast<int>(hashes.size()); }
  size_t header_bytes() const;
  size_t stride() const;  // from block to block
  size_t offset(int block) const { return header_bytes() + static_cast<size_t>(block) * stride(); }
  size_t file_bytes() const { return offset(blocks()); }
};

/// The header's bytes, header_bytes() of them.
std::string encode(const SnapshotHeader& header);

/// How long a header is, from its first kSnapshotFixedBytes. Errors: kDataRefused for what is no
/// snapshot, kUnsupported for another version.
Result<size_t> header_length(std::span<const std::byte> fixed);

/// Reads a header in a file of `file_bytes`. Errors: kDataRefused saying what is wrong with it,
/// kUnsupported for another version. Callable on any bytes.
Result<SnapshotHeader> decode(std::span<const std::byte> bytes, uint64_t file_bytes);

}  // namespace aictl::inference
