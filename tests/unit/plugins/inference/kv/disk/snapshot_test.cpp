// The header of snapshot files, as bytes.
#include "plugins/services/inference/kv/disk/snapshot.hpp"

#include <doctest/doctest.h>
#include <xxhash.h>

#include <cstring>

using namespace aictl;
using namespace aictl::inference;

namespace {

SnapshotHeader a_header() {
  SnapshotHeader header;
  header.signature = {1, 2, 3, 4, kKvBlockTokens, 1000};
  header.salt = {5, 6};
  header.first_block = 2;
  for (int32_t t = 0; t < 5 * kKvBlockTokens; ++t) header.tokens.push_back(t * 7);
  header.hashes = {11, 12, 13};
  return header;
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

/// Changes a field and makes the hash right again: what a hostile writer would do.
std::string forged(size_t at, uint32_t value) {
  std::string bytes = encode(a_header());
  std::memcpy(bytes.data() + at, &value, 4);
  const uint64_t hash = XXH3_64bits(bytes.data(), bytes.size() - 8);
  std::memcpy(bytes.data() + bytes.size() - 8, &hash, 8);
  return bytes;
}

std::string refusal(const std::string& bytes) {
  const auto header = decode(bytes_of(bytes), a_header().file_bytes());
  return header ? "" : header.error().message;
}

}  // namespace

TEST_CASE("a header comes back as it was written") {
  const SnapshotHeader header = a_header();
  const std::string bytes = encode(header);
  CHECK(bytes.size() == 4096);
  CHECK(header.offset(1) == 8192);
  CHECK(header.file_bytes() == 4096 * 4);
  CHECK(*header_length(bytes_of(bytes).first(kSnapshotFixedBytes)) == 4096);
  const auto back = decode(bytes_of(bytes), header.file_bytes());
  REQUIRE(back.ok());
  CHECK(back->signature == header.signature);
  CHECK(back->salt == header.salt);
  CHECK(back->first_block == 2);
  CHECK(back->tokens == header.tokens);
  CHECK(back->hashes == header.hashes);
}

TEST_CASE("a forged header is refused by what it says, with its hash right") {
  CHECK(refusal(encode(a_header())) == "");
  CHECK(refusal(forged(0, 1)) == "it does not begin as a KV snapshot");
  CHECK(refusal(forged(8, 2)) == "version 2 is not 1");
  CHECK(refusal(forged(12, 8192)).find("a header of 8192 bytes") == 0);
  CHECK(refusal(forged(64, 63)) == "blocks of 63 tokens");
  CHECK(refusal(forged(68, 0)) == "blocks of 0 bytes");
  CHECK(refusal(forged(68, 0xFFFFFFFF)) == "blocks of 4294967295 bytes");
  CHECK(refusal(forged(72, 0xFFFFFFC0)).find("are not those of") != std::string::npos);
  CHECK(refusal(forged(76, 0x04000000)).find("are not those of") != std::string::npos);
  CHECK(refusal(forged(80, 17)) == "17 blocks are not in 1..16");
  CHECK(refusal(forged(80, 0)) == "0 blocks are not in 1..16");
  CHECK(refusal(forged(84, 1)) == "a field that must be 0 is not");
  const size_t table = kSnapshotFixedBytes + 4 * 5 * kKvBlockTokens;
  CHECK(refusal(forged(table, 0)) == "block 0 is not where it belongs");
  CHECK(refusal(forged(table + 32 + 8, 1)) == "block 1 is not where it belongs");
  CHECK(refusal(forged(table + 64 + 24, 63)) == "block 2 is not whole");
}

TEST_CASE("a header that is cut or changed is refused, and so is a file of another size") {
  const std::string bytes = encode(a_header());
  for (size_t length = 0; length < bytes.size(); ++length) {
    const auto cut = decode(bytes_of(bytes).first(length), a_header().file_bytes());
    CHECK_FALSE(cut.ok());
  }
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] + 1);
    CHECK_FALSE(decode(bytes_of(changed), a_header().file_bytes()).ok());
  }
  CHECK_FALSE(decode(bytes_of(bytes), a_header().file_bytes() - 1).ok());
  CHECK_FALSE(decode(bytes_of(bytes), a_header().file_bytes() + 4096).ok());
}
