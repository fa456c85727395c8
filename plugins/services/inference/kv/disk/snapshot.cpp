#include "plugins/services/inference/kv/disk/snapshot.hpp"

#include <xxhash.h>

#include <bit>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "core/base/check.hpp"

namespace aictl::inference {
namespace {

static_assert(std::endian::native == std::endian::little, "headers are written as they lie");

constexpr std::string_view kMagic("aictlKV\0", 8);
constexpr uint32_t kVersion = 1;
constexpr size_t kPage = 4096;
constexpr size_t kRowBytes = 32;           // of the table of blocks
constexpr uint32_t kMaxTokens = 1u << 24;  // of a prompt
constexpr uint32_t kMaxBlockBytes = 1u << 30;

size_t up_to_page(size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

size_t length_of(size_t tokens, size_t blocks) {
  return up_to_page(kSnapshotFixedBytes + 4 * tokens + kRowBytes * blocks + 8);
}

template <typename T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  template <typename T>
  T take() {
    CHECK(bytes_.size() >= sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_ = bytes_.subspan(sizeof value);
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
};

Error refused(std::string message) { return {ErrorCode::kDataRefused, std::move(message), ""}; }

// The fields before the tokens.
struct Fixed {
  uint32_t header_bytes;
  SnapshotHeader header;
  uint32_t tokens, blocks;
};

Result<Fixed> decode_fixed(std::span<const std::byte> bytes) {
  if (bytes.size() < kSnapshotFixedBytes)
    return refused(fmt::format("{} bytes are less than a header", bytes.size()));
  if (std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0)
    return refused("it does not begin as a KV snapshot");
  Reader in(bytes.subspan(kMagic.size()));
  const auto version = in.take<uint32_t>();
  if (version != kVersion)
    return Error{ErrorCode::kUnsupported, fmt::format("version {} is not {}", version, kVersion),
                 ""};
  Fixed fixed;
  fixed.header_bytes = in.take<uint32_t>();
  Signature& s = fixed.header.signature;
  for (uint64_t* field : {&s.model, &s.layout, &s.rope, &s.adapter}) *field = in.take<uint64_t>();
  fixed.header.salt.high = in.take<uint64_t>();
  fixed.header.salt.low = in.take<uint64_t>();
  s.block_tokens = in.take<uint32_t>();
  s.block_bytes = in.take<uint32_t>();
  fixed.tokens = in.take<uint32_t>();
  const auto first = in.take<uint32_t>();
  fixed.blocks = in.take<uint32_t>();
  if (in.take<uint32_t>() != 0) return refused("a field that must be 0 is not");
  if (s.block_tokens != kKvBlockTokens)
    return refused(fmt::format("blocks of {} tokens", s.block_tokens));
  if (s.block_bytes == 0 || s.block_bytes > kMaxBlockBytes)
    return refused(fmt::format("blocks of {} bytes", s.block_bytes));
  if (fixed.blocks == 0 || fixed.blocks > kMaxRunBlocks)
    return refused(fmt::format("{} blocks are not in 1..{}", fixed.blocks, kMaxRunBlocks));
  if (fixed.tokens > kMaxTokens || first > kMaxTokens ||
      fixed.tokens != (first + fixed.blocks) * kKvBlockTokens)
    return refused(fmt::format("{} tokens are not those of {} blocks from block {} on",
                               fixed.tokens, fixed.blocks, first));
  fixed.header.first_block = static_cast<int>(first);
  if (fixed.header_bytes != length_of(fixed.tokens, fixed.blocks))
    return refused(
        fmt::format("a header of {} bytes for {} tokens", fixed.header_bytes, fixed.tokens));
  return fixed;
}

}  // namespace

size_t SnapshotHeader::header_bytes() const { return length_of(tokens.size(), hashes.size()); }
size_t SnapshotHeader::stride() const { return up_to_page(signature.block_bytes); }

std::string encode(const SnapshotHeader& header) {
  const size_t length = header.header_bytes();
  std::string out(kMagic);
  out.reserve(length);
  put(out, kVersion);
  put(out, static_cast<uint32_t>(length));
  const Signature& s = header.signature;
  for (const uint64_t field :
       {s.model, s.layout, s.rope, s.adapter, header.salt.high, header.salt.low})
    put(out, field);
  put(out, s.block_tokens);
  put(out, s.block_bytes);
  put(out, static_cast<uint32_t>(header.tokens.size()));
  put(out, static_cast<uint32_t>(header.first_block));
  put(out, static_cast<uint32_t>(header.blocks()));
  put(out, uint32_t{0});
  CHECK(out.size() == kSnapshotFixedBytes);
  out.append(reinterpret_cast<const char*>(header.tokens.data()), 4 * header.tokens.size());
  for (int i = 0; i < header.blocks(); ++i) {
    put(out, uint64_t{header.offset(i)});
    put(out, uint64_t{s.block_bytes});
    put(out, header.hashes[static_cast<size_t>(i)]);
    put(out, s.block_tokens);
    put(out, uint32_t{0});
  }
  out.resize(length - 8, '\0');
  put(out, uint64_t{XXH3_64bits(out.data(), out.size())});
  return out;
}

Result<size_t> header_length(std::span<const std::byte> fixed) {
  auto read = decode_fixed(fixed);
  if (!read) return std::move(read).error();
  return size_t{read->header_bytes};
}

Result<SnapshotHeader> decode(std::span<const std::byte> bytes, uint64_t file_bytes) {
  auto fixed = decode_fixed(bytes);
  if (!fixed) return std::move(fixed).error();
  const size_t length = fixed->header_bytes;
  if (bytes.size() < length)
    return refused(fmt::format("{} bytes of a header of {}", bytes.size(), length));
  if (Reader(bytes.subspan(length - 8)).take<uint64_t>() != XXH3_64bits(bytes.data(), length - 8))
    return refused("the header does not match its hash");
  SnapshotHeader header = std::move(fixed->header);
  header.tokens.resize(fixed->tokens);
  std::memcpy(header.tokens.data(), bytes.data() + kSnapshotFixedBytes, 4 * header.tokens.size());
  header.hashes.resize(fixed->blocks);
  Reader rows(bytes.subspan(kSnapshotFixedBytes + 4 * header.tokens.size()));
  for (int i = 0; i < header.blocks(); ++i) {
    const bool placed = rows.take<uint64_t>() == header.offset(i) &&
                        rows.take<uint64_t>() == header.signature.block_bytes;
    if (!placed) return refused(fmt::format("block {} is not where it belongs", i));
    header.hashes[static_cast<size_t>(i)] = rows.take<uint64_t>();
    if (rows.take<uint32_t>() != kKvBlockTokens)
      return refused(fmt::format("block {} is not whole", i));
    rows.take<uint32_t>();
  }
  if (file_bytes != header.file_bytes())
    return refused(fmt::format("the file has {} bytes, its header speaks of {}", file_bytes,
                               header.file_bytes()));
  return header;
}

}  // namespace aictl::inference
