// The books of the KV blocks: random takes, forks and releases against plain counting.
#include <doctest/doctest.h>

#include <random>

#include "plugins/services/inference/kv/block_table.hpp"

using namespace aictl::inference;
using namespace aictl;

namespace {

std::string check(const BlockPool& pool, const std::vector<BlockTable>& tables) {
  std::vector<std::span<const int32_t>> spans;
  for (const auto& table : tables) spans.push_back(table.blocks());
  return pool.check(spans);
}

}  // namespace

TEST_CASE("block pool: hands out every block once, then none") {
  BlockPool pool(5);
  std::vector<bool> seen(5);
  for (int i = 0; i < 5; ++i) {
    const auto block = pool.take();
    REQUIRE(block);
    CHECK_FALSE(seen[static_cast<size_t>(*block)]);
    seen[static_cast<size_t>(*block)] = true;
  }
  CHECK_FALSE(pool.take());
  CHECK(pool.free() == 0);
  pool.ref(3);
  pool.unref(3);
  CHECK_FALSE(pool.take());
  pool.unref(3);
  CHECK(pool.take() == 3);
}

TEST_CASE("block pool: check() finds a block that is lost, leaked or held twice too often") {
  BlockPool pool(4);
  const std::vector<int32_t> table{*pool.take(), *pool.take()};
  const std::vector<std::span<const int32_t>> right{table}, twice{table, table}, none{};
  CHECK(pool.check(right).empty());
  CHECK_FALSE(pool.check(twice).empty());
  CHECK_FALSE(pool.check(none).empty());
  const std::vector<int32_t> wild{99};
  const std::vector<std::span<const int32_t>> out_of_range{table, wild};
  CHECK_FALSE(pool.check(out_of_range).empty());
}

TEST_CASE("block table: grows by whole blocks, all or nothing") {
  BlockPool pool(3);
  BlockTable table;
  CHECK(table.grow(pool, 1));
  CHECK(table.size() == 1);
  CHECK(table.grow(pool, 64));
  CHECK(table.size() == 1);
  CHECK_FALSE(table.grow(pool, 64 * 3 + 1));
  CHECK(table.size() == 1);
  CHECK(pool.free() == 2);
  CHECK(table.grow(pool, 65));
  CHECK(table.size() == 2);
  table.release(pool);
  CHECK(pool.free() == 3);
}

TEST_CASE(
    "block table: a shared tail is copied by the first who writes, the last writes in place") {
  BlockPool pool(4);
  BlockTable a;
  REQUIRE(a.grow(pool, 100));
  BlockTable b = a.fork(pool);
  CHECK(pool.used() == 2);
  CHECK(a.is_shared(pool, 99));
  const BlockCopy copy = a.unshare(pool, 100);
  CHECK(copy.from == b.blocks()[1]);
  CHECK(copy.to == a.blocks()[1]);
  CHECK(copy.tokens == 36);
  CHECK_FALSE(a.is_shared(pool, 100));
  CHECK_FALSE(b.is_shared(pool, 100));
  CHECK(a.is_shared(pool, 0));
  CHECK_FALSE(b.is_shared(pool, 128));  // a block it does not have yet
  a.release(pool);
  b.release(pool);
  CHECK(pool.free() == 4);
}

TEST_CASE("block table: random growth, forks, writes and releases keep the books") {
  std::mt19937 rng(7);
  BlockPool pool(40);
  std::vector<BlockTable> tables;
  for (int step = 0; step < 20000; ++step) {
    const size_t pick = tables.empty() ? 0 : rng() % tables.size();
    switch (rng() % 4) {
      case 0:
        if (tables.size() < 20) tables.emplace_back();
        break;
      case 1:
        if (!tables.empty())
          (void)tables[pick].grow(pool, tables[pick].size() * 64 + static_cast<int>(rng() % 200));
        break;
      case 2:
        if (!tables.empty() && tables.size() < 20) tables.push_back(tables[pick].fork(pool));
        break;
      default:
        if (tables.empty()) break;
        if (const int last = tables[pick].size() * 64 - 1;
            last > 0 && tables[pick].is_shared(pool, last) && pool.free() > 0) {
          (void)tables[pick].unshare(pool, last);
        } else {
          tables[pick].release(pool);
          tables.erase(tables.begin() + static_cast<std::ptrdiff_t>(pick));
        }
    }
    if (const auto wrong = check(pool, tables); !wrong.empty())
      FAIL("step " << step << ": " << wrong);
  }
}
