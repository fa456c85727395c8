// The disk store: what is written comes back, and whatever happens to a file costs the file only.
#include "plugins/services/inference/kv/disk/store.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <random>

#include "plugins/services/inference/kv/disk/listing.hpp"
#include "tests/support/temporary_root.hpp"

using namespace aictl;
using namespace aictl::inference;

namespace {

constexpr size_t kBlockBytes = 300;  // no page, no power of two

ModelSpec a_spec() {
  ModelSpec spec;
  spec.rope = {RopeStyle::kHalf, 4, {1.0, 0.5}, 1};
  return spec;
}

Signature a_signature(std::string_view weights = "weights") {
  return make_signature(weights, a_spec(), "layout", kBlockBytes);
}

/// `blocks` whole blocks; those of one seed begin alike.
Prefix a_prefix(int blocks, unsigned seed = 1, Salt salt = {}) {
  std::mt19937 random(seed);
  std::vector<int32_t> tokens(static_cast<size_t>(blocks) * kKvBlockTokens);
  for (int32_t& t : tokens) t = static_cast<int32_t>(random() % 1000);
  return Prefix::of(salt, tokens);
}

/// What block `index` of a prompt would be computed to.
std::vector<std::byte> contents(const Prefix& prefix, int first, int count) {
  std::vector<std::byte> bytes;
  for (int i = first; i < first + count; ++i) {
    std::mt19937 random(static_cast<unsigned>(prefix.chain[static_cast<size_t>(i)].low));
    for (size_t b = 0; b < kBlockBytes; ++b) bytes.push_back(static_cast<std::byte>(random()));
  }
  return bytes;
}

struct Folder {
  test::TemporaryRoot root;
  ManualClock clock;

  std::filesystem::path path() const { return root.path() / "kv"; }
  std::unique_ptr<DiskStore> open(const Signature& signature = a_signature(),
                                  uint64_t cap = 1 << 30) {
    auto store = DiskStore::open({path(), cap}, signature, clock);
    REQUIRE_MESSAGE(store.ok(), (store.ok() ? "" : store.error().message));
    (*store)->scan();
    return std::move(*store);
  }
  std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(path()))
      found.push_back(entry.path());
    std::ranges::sort(found);
    return found;
  }
  std::string bytes(const std::filesystem::path& file) const {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void put(const std::filesystem::path& file, std::string_view content) const {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
    ::chmod(file.c_str(), 0600);
  }
};

void save(DiskStore& store, const Prefix& prefix, int first, int count) {
  const auto saved = store.save(prefix, first, contents(prefix, first, count));
  REQUIRE_MESSAGE(saved.ok(), (saved.ok() ? "" : saved.error().message));
}

/// All blocks from the first on that come back right; a wrong byte fails the test.
int comes_back(DiskStore& store, const Prefix& prefix) {
  int at = 0;
  while (store.count(prefix, at) > 0) {
    std::vector<std::byte> payload;
    const auto loaded = store.load(prefix, at, kMaxRunBlocks, payload);
    if (!loaded) break;
    CHECK(payload == contents(prefix, at, *loaded));
    at += *loaded;
  }
  return at;
}

uint64_t ignored(const DiskCacheStats& s) {
  return s.damaged + s.foreign + s.unsafe + s.gone + s.unreadable;
}

}  // namespace

TEST_CASE(
    "blocks come back from disk, also for another process and for prompts that only begin so") {
  Folder folder;
  const Prefix prefix = a_prefix(20);
  {
    const auto store = folder.open();
    CHECK(store->count(prefix, 0) == 0);
    save(*store, prefix, 0, 16);
    save(*store, prefix, 16, 4);
    CHECK(store->count(prefix, 0) == 20);
    CHECK(comes_back(*store, prefix) == 20);
  }
  const auto store = folder.open();
  CHECK(store->stats().files == 2);
  CHECK(comes_back(*store, prefix) == 20);

  std::vector<int32_t> tokens(prefix.tokens);
  tokens[5 * kKvBlockTokens] += 1;  // the sixth block differs
  CHECK(comes_back(*store, Prefix::of({}, tokens)) == 5);
  CHECK(ignored(store->stats()) == 0);
}

TEST_CASE("salts, models and layouts keep apart") {
  Folder folder;
  const Prefix prefix = a_prefix(4);
  save(*folder.open(), prefix, 0, 4);
  const auto store = folder.open();
  for (const Salt other : {Salt{1, 0}, Salt{0, 1}, Salt{7, 7}})
    CHECK(store->count(Prefix::of(other, prefix.tokens), 0) == 0);
  CHECK(folder.open(a_signature("others"))->count(prefix, 0) == 0);
  CHECK(
      folder.open(make_signature("weights", a_spec(), "another", kBlockBytes))->count(prefix, 0) ==
      0);
  ModelSpec turned = a_spec();
  turned.rope.amplitude = 2;
  CHECK(folder.open(make_signature("weights", turned, "layout", kBlockBytes))->count(prefix, 0) ==
        0);
  CHECK(folder.open()->count(prefix, 0) == 4);
}

TEST_CASE("a file is for nobody else: 0600 in a folder of 0700") {
  Folder folder;
  save(*folder.open(), a_prefix(2), 0, 2);
  struct stat info {};
  REQUIRE(::stat(folder.path().c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
  REQUIRE(::stat(folder.files().at(0).c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);

  ::chmod(folder.path().c_str(), 0755);
  const auto refused = DiskStore::open({folder.path(), 1 << 20}, a_signature(), folder.clock);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kForbidden);
  CHECK(refused.error().message.find("mode 755") != std::string::npos);
}

TEST_CASE("files open to others, links and pipes are ignored and left alone") {
  Folder folder;
  const Prefix open_prefix = a_prefix(2, 1), linked = a_prefix(2, 2), piped = a_prefix(2, 3);
  for (const Prefix* p : {&open_prefix, &linked, &piped}) save(*folder.open(), *p, 0, 2);
  const auto file_of = [&](const Prefix& p) {
    return folder.path() / snapshot_name(a_signature(), 0, p.chain.back());
  };
  ::chmod(file_of(open_prefix).c_str(), 0644);
  std::filesystem::rename(file_of(linked), folder.root.path() / "elsewhere");
  std::filesystem::create_symlink(folder.root.path() / "elsewhere", file_of(linked));
  std::filesystem::remove(file_of(piped));
  REQUIRE(::mkfifo(file_of(piped).c_str(), 0600) == 0);
  const auto store = folder.open();
  for (const Prefix* p : {&open_prefix, &linked, &piped}) CHECK(store->count(*p, 0) == 0);
  CHECK(store->stats().unsafe == 3);
  CHECK(folder.files().size() == 3);
}

TEST_CASE("a file that is cut off at any byte is ignored, whole runs before it are used") {
  Folder folder;
  const Prefix prefix = a_prefix(4);
  save(*folder.open(), prefix, 0, 2);
  const auto first = folder.files().at(0);
  save(*folder.open(), prefix, 2, 2);
  auto files = folder.files();
  std::erase(files, first);
  const std::string whole = folder.bytes(files.at(0));
  CHECK(whole.size() % 4096 == 0);
  for (size_t cut = 0; cut < whole.size(); cut += cut < 700 || cut > 4000 ? 1 : 61) {
    if (cut > 4200 && cut % 409 != 0) continue;  // inside of blocks all bytes are alike
    folder.put(files[0], std::string_view(whole).substr(0, cut));
    const auto store = folder.open();
    CHECK_MESSAGE(comes_back(*store, prefix) == 2, cut);
    CHECK(store->stats().damaged == 1);
    CHECK_FALSE(std::filesystem::exists(files[0]));  // only in the way
  }
  folder.put(files[0], whole);
  CHECK(comes_back(*folder.open(), prefix) == 4);
}

TEST_CASE("a byte that changed anywhere is noticed: in the header at start, in a block when read") {
  Folder folder;
  const Prefix prefix = a_prefix(2);
  save(*folder.open(), prefix, 0, 2);
  const auto file = folder.files().at(0);
  const std::string whole = folder.bytes(file);
  size_t told = 0, tried = 0;
  for (size_t at = 0; at < whole.size(); at += at < 900 ? 1 : 37) {
    const bool padding = at >= 4096 && (at - 4096) % 4096 >= kBlockBytes;
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x40);
    folder.put(file, changed);
    const auto store = folder.open();
    const int back = comes_back(*store, prefix);
    CHECK_MESSAGE(back == (padding ? 2 : 0), at);
    ++tried;
    told += ignored(store->stats()) == 1;
    if (padding) ++told;
  }
  CHECK(told == tried);
}

TEST_CASE("what a kill leaves behind in the middle of writing is never read, and removed in time") {
  Folder folder;
  const Prefix prefix = a_prefix(2);
  save(*folder.open(), prefix, 0, 2);
  const std::string whole = folder.bytes(folder.files().at(0));
  std::filesystem::remove(folder.files().at(0));
  for (size_t cut : {size_t{0}, size_t{1}, size_t{4096}, whole.size() - 1, whole.size()})
    folder.put(folder.path() / ("writing-" + std::to_string(cut)), whole.substr(0, cut));
  folder.put(folder.path() / "notes.txt", "not ours");
  folder.clock.advance(std::chrono::hours(24 * 365 * 100));  // long after any file of today
  const auto store = folder.open();
  CHECK(store->count(prefix, 0) == 0);
  CHECK(ignored(store->stats()) == 0);
  REQUIRE(folder.files().size() == 1);
  CHECK(folder.files()[0].filename() == "notes.txt");
}

TEST_CASE("under the limit the files used longest ago go first, and of those the deepest") {
  Folder folder;
  const Prefix old = a_prefix(4, 1), kept = a_prefix(4, 2), fresh = a_prefix(4, 3);
  const auto on_disk = [](int files) { return static_cast<uint64_t>(files) * 12288; };
  const auto store = folder.open(a_signature(), on_disk(5) + 100);
  const auto tick = [&] { folder.clock.advance(std::chrono::seconds(10)); };
  tick(), save(*store, old, 0, 2), save(*store, old, 2, 2);
  tick(), save(*store, kept, 0, 2), save(*store, kept, 2, 2);
  tick(), store->touch(kept, 4);
  tick(), save(*store, fresh, 0, 2);
  CHECK(store->count(old, 0) == 4);
  tick(), save(*store, fresh, 2, 2);
  CHECK(store->count(old, 0) == 2);  // its end went
  CHECK(store->count(kept, 0) == 4);
  CHECK(store->count(fresh, 0) == 4);
  CHECK(store->stats().evicted == 1);
  CHECK(store->stats().bytes <= on_disk(5) + 100);
  CHECK(comes_back(*store, fresh) == 4);
}

TEST_CASE("a store of another model in the same folder shares the limit") {
  Folder folder;
  const Prefix prefix = a_prefix(2);
  const auto one = folder.open(a_signature("one"), 20000);
  save(*one, prefix, 0, 2);
  const auto two = folder.open(a_signature("two"), 20000);
  folder.clock.advance(std::chrono::seconds(5));
  save(*two, prefix, 0, 2);
  CHECK(folder.files().size() == 1);
  // The first finds its file gone, and says so once.
  std::vector<std::byte> payload;
  CHECK(one->count(prefix, 0) == 2);
  CHECK_FALSE(one->load(prefix, 0, 2, payload).ok());
  CHECK(one->stats().gone == 1);
  CHECK(one->count(prefix, 0) == 0);
}

TEST_CASE("two processes may write the same blocks to the same folder") {
  Folder folder;
  const Prefix prefix = a_prefix(6);
  const auto one = folder.open(), two = folder.open();
  save(*one, prefix, 0, 4);
  save(*two, prefix, 0, 4);
  save(*two, prefix, 4, 2);
  CHECK(comes_back(*one, prefix) == 4);
  CHECK(comes_back(*two, prefix) == 6);
  CHECK(folder.files().size() == 2);
  CHECK(comes_back(*folder.open(), prefix) == 6);
}

TEST_CASE("a file of right name with other contents is foreign") {
  Folder folder;
  const Prefix one = a_prefix(2, 1), two = a_prefix(2, 2);
  save(*folder.open(), one, 0, 2);
  save(*folder.open(a_signature("other")), two, 0, 2);
  const auto mine = folder.path() / snapshot_name(a_signature(), 0, one.chain.back());
  const auto other = folder.path() / snapshot_name(a_signature("other"), 0, two.chain.back());
  const auto late = folder.open();
  std::filesystem::rename(other, mine);
  CHECK(comes_back(*folder.open(), one) == 0);
  CHECK(comes_back(*late, one) == 0);  // it knew the file before it was changed
  CHECK(late->stats().foreign == 1);
}

TEST_CASE(
    "a disk that takes no more costs the blocks, leaves nothing behind, and is left in peace") {
  Folder folder;
  const Prefix prefix = a_prefix(4);
  const auto store = folder.open();
  // Files may not grow beyond a header: as if the disk were full.
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto ignore = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit full{5000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &full);
  const bool failed = !store->save(prefix, 0, contents(prefix, 0, 2)).ok();
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, ignore);
  CHECK(failed);
  CHECK(folder.files().empty());
  CHECK(store->stats().unwritten == 1);
  const auto soon = store->save(prefix, 0, contents(prefix, 0, 2));
  REQUIRE_FALSE(soon.ok());
  CHECK(soon.error().code == ErrorCode::kUnavailable);
  folder.clock.advance(std::chrono::seconds(11));
  save(*store, prefix, 0, 2);
  CHECK(comes_back(*store, prefix) == 2);
}

TEST_CASE("a folder that cannot be made is an error that names it") {
  test::TemporaryRoot root;
  root.file("kv", "a file");
  const ManualClock clock;
  const auto store = DiskStore::open({root.path() / "kv", 1 << 20}, a_signature(), clock);
  REQUIRE_FALSE(store.ok());
  CHECK(store.error().message.find("not a folder") != std::string::npos);
  const auto small = DiskStore::open({root.path() / "kv2", 10}, a_signature(), clock);
  REQUIRE_FALSE(small.ok());
  CHECK(small.error().code == ErrorCode::kInvalidArgument);
}
