// Any bytes as a KV snapshot's header: decoded or refused, without reads outside of them. Half of
// the inputs get a right hash first, so that what lies behind it is reached.
#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "plugins/services/inference/kv/disk/snapshot.hpp"

using namespace aictl;
using namespace aictl::inference;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto view = [&] { return std::as_bytes(std::span(bytes)); };
  const auto length = header_length(view());
  if (!length && length.error().message.empty()) std::abort();
  if ((data[0] & 1) != 0 && length && *length <= (size_t{1} << 20)) {
    bytes.resize(*length);
    const uint64_t hash = XXH3_64bits(bytes.data(), bytes.size() - 8);
    std::memcpy(bytes.data() + bytes.size() - 8, &hash, 8);
  }
  auto header = decode(view(), 4096);
  if (!header && header.error().message.empty()) std::abort();
  if (!length) return 0;
  for (uint64_t blocks = 0; blocks <= kMaxRunBlocks; ++blocks) {
    header = decode(view(), *length + blocks * 4096);
    if (!header) continue;
    // What was read says the same when it is written again.
    if (header->tokens.size() !=
        static_cast<size_t>(header->first_block + header->blocks()) * kKvBlockTokens)
      std::abort();
    if (header->file_bytes() != *length + blocks * 4096) std::abort();
    const std::string written = encode(*header);
    const auto again = decode(std::as_bytes(std::span(written)), header->file_bytes());
    if (!again || again->tokens != header->tokens || again->hashes != header->hashes) std::abort();
  }
  return 0;
}
