// DiskStore: the KV blocks that lie in a folder, found by chained hash. A cache: whatever is wrong
// with a file costs the file and never an error.
//
// The files are the truth. The index is made from their headers at start and kept in memory: there
// is no second record that a kill could leave in contradiction to them, a file is there whole or
// not at all, and several processes may share a folder, each seeing what was there when it started
// and what it wrote itself. One that finds a file gone computes instead.
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/clock.hpp"
#include "core/plugin/generation.hpp"
#include "plugins/services/inference/kv/disk/snapshot_file.hpp"

namespace aictl::inference {

/// Where KV blocks are kept on disk, of all models together.
struct DiskCacheOptions {
  std::filesystem::path folder;
  uint64_t cap = 0;  // bytes of all files
};

/// The beginning of a prompt: its whole blocks' tokens, whose they are, and their hashes.
struct Prefix {
  Salt salt;
  std::vector<int32_t> tokens;    // whole blocks
  std::vector<PrefixHash> chain;  // one for each block

  static Prefix of(Salt salt, std::span<const int32_t> tokens);
  int blocks() const { return static_cast<int>(chain.size()); }
  std::span<const int32_t> first(int blocks) const {
    return std::span(tokens).first(static_cast<size_t>(blocks) * kKvBlockTokens);
  }
};

/// All functions are callable from any thread; no lock is held while files are touched.
class DiskStore {
 public:
  /// Makes the folder. Errors: as make_private_folder; kInvalidArgument for a cap that holds not
  /// even one block.
  static Result<std::unique_ptr<DiskStore>> open(DiskCacheOptions options,
                                                 const Signature& signature, const Clock& clock);

  /// Reads the headers of what is there and removes what was never finished. Once, by one thread.
  void scan(std::stop_token stop = {});
  bool scanned() const { return scanned_; }

  /// How many blocks of `prefix`, from `first` on and in a row, are known to lie here.
  int count(const Prefix& prefix, int first) const;

  /// Whether a block of `prefix` is neither here nor on its way.
  bool lacks(const Prefix& prefix, int block) const;
  /// save() will come for `count` blocks from `first` on.
  void expect(const Prefix& prefix, int first, int count);

  /// Reads blocks from `first` on, as many as one file holds of at most `most`, and appends them to
  /// `payload`. Tokens are compared, hashes of the bytes checked. Returns how many. Errors: what
  /// was wrong; the file is out of the index then, and counted.
  Result<int> load(const Prefix& prefix, int first, int most, std::vector<std::byte>& payload);

  /// Writes `payload`, blocks of `prefix` from `first` on, at most kMaxRunBlocks; what was used
  /// longest ago makes room. Errors: kIo, and for some seconds after one, without trying; kTooLarge
  /// over the cap.
  Result<void> save(const Prefix& prefix, int first, std::span<const std::byte> payload);

  /// The files of the first `blocks` blocks of `prefix` were used now.
  void touch(const Prefix& prefix, int blocks);

  const Signature& signature() const { return signature_; }
  const DiskCacheOptions& options() const { return options_; }
  DiskCacheStats stats() const;

 private:
  using Files = std::map<std::string, std::vector<PrefixHash>, std::less<>>;
  struct Place {  // of a block
    Files::const_iterator file;
    int index;
  };

  DiskStore(DiskCacheOptions options, const Signature& signature, const Clock& clock);
  void add(const std::string& name, const SnapshotHeader& header);
  void forget(std::string_view name);
  void discard(const std::string& name, const Error& why);
  Result<SnapshotFile> open_checked(const std::string& name) const;
  Result<void> write(const Prefix& prefix, int first, std::span<const std::byte> payload);
  bool make_room(uint64_t bytes);

  const DiskCacheOptions options_;
  const Signature signature_;
  const Clock& clock_;
  std::atomic<bool> scanned_{false};
  mutable std::mutex mutex_;  // guards all below
  Files files_;               // of this signature: the hashes of their blocks
  std::map<PrefixHash, Place> places_;
  std::set<PrefixHash> expected_;  // see expect()
  Time no_saving_until_{};
  uint64_t since_listing_ = 0;  // files written since the folder was last listed
  DiskCacheStats stats_;
};

}  // namespace aictl::inference
