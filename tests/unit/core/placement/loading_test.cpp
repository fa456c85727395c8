// Loading: where weights lie, how much of them is in memory, how long a start takes.
#include "core/placement/cost/loading.hpp"

#include <doctest/doctest.h>

#include "core/base/file.hpp"
#include "core/placement/model/families.hpp"
#include "tests/support/temporary_root.hpp"

using namespace aictl;
using namespace aictl::placement;

TEST_CASE("loading: the slowest of disk, PCIe and engine decides") {
  const ModelShape shape = *known_shape("llama:8b:bf16", "BF16");
  const double bytes = double(shape.weight_bytes);
  const Loading disk = loading_of(shape, {2, 1}, Engine::kVllm, 25, {"nvme0n1", 0.5, 0});
  CHECK_EQ(disk.limit, "disk");
  CHECK_EQ(disk.cold, doctest::Approx(bytes / 0.5e9));
  CHECK_EQ(disk.warm, 0);  // memory has no room for them
  WeightSource fast{"nvme0n1", 50, 0, true, true, true};
  const Loading engine = loading_of(shape, {2, 1}, Engine::kVllm, 25, fast);
  CHECK_EQ(engine.limit, "engine");
  CHECK_EQ(engine.now(), doctest::Approx(engine.warm));
  const Loading link = loading_of(shape, {1, 1}, Engine::kVllm, 0.8, fast);
  CHECK_EQ(link.limit, "PCIe");
  CHECK_EQ(link.cold, doctest::Approx(bytes / 0.8e9));
}

TEST_CASE("storage: a folder's weights, and what the page cache has of them") {
  aictl::test::TemporaryRoot root;
  root.file("m/a.safetensors", std::string(100'000, 'x')).file("m/x.json", "1234");
  const auto storage = find_storage(root.path() / "m");
  REQUIRE(storage.ok());
  CHECK_EQ(storage->bytes, 100'000);
  CHECK_EQ(storage->cached, 100'000);  // it was written just now
  CHECK(storage->in_memory());
  CHECK_FALSE(storage->filesystem.empty());
  Storage half = *storage;
  half.cached = 50'000;
  CHECK_FALSE(half.in_memory());
  CHECK_FALSE(Storage{}.in_memory());
  CHECK_EQ(find_storage(root.path() / "none").error().code, ErrorCode::kNotFound);
  CHECK_EQ(find_storage(root.path()).error().code, ErrorCode::kInvalidArgument);
  CHECK(is_network("nfs4"));
  CHECK_FALSE(is_network("ext4"));
}
