// JSON to values of a Topology, by the lists of fields.hpp. The JSON may be anything: every value
// is checked, and what the result takes in memory is bounded, whatever a short text asks for.
#pragma once

#include <limits>

#include <fmt/format.h>

#include "core/topology/json/write.hpp"

namespace aictl::topology {

/// What reading may still allocate, and why it failed. `path` grows outwards while a failure
/// unwinds: ".cpuset", "[3].cpuset", "objects[3].cpuset".
struct Reading {
  size_t budget = size_t{256} << 20;  // bytes
  std::string path, problem;

  bool fail(std::string why) {
    problem = std::move(why);
    return false;
  }
  bool within(std::string_view step) {
    path.insert(0, step);
    return false;
  }
  bool take(size_t bytes) {
    if (bytes > budget) return fail("takes too much memory");
    budget -= bytes;
    return true;
  }
};

bool read(const Json& tree, bool& out, Reading& reading);
bool read(const Json& tree, double& out, Reading& reading);
bool read(const Json& tree, std::string& out, Reading& reading);
bool read(const Json& tree, Bitset& out, Reading& reading);
bool read(const Json& tree, PciAddress& out, Reading& reading);
bool read(const Json& tree, std::pair<std::string, std::string>& out, Reading& reading);
bool read(const Json& tree, std::map<std::string, std::string>& out, Reading& reading);

template <Whole T>
bool read(const Json& tree, T& out, Reading& reading) {
  using Limits = std::numeric_limits<T>;
  // A tree that was built has signed numbers where a parsed one has unsigned ones.
  const bool natural =
      tree.is_number_unsigned() || (tree.is_number_integer() && tree.get<int64_t>() >= 0);
  if (natural && tree.get<uint64_t>() <= uint64_t(Limits::max())) {
    out = T(tree.get<uint64_t>());
    return true;
  }
  // Below zero there is one number that means something: -1, unknown.
  if (std::is_signed_v<T> && tree.is_number_integer() && tree.get<int64_t>() == -1) {
    out = T(-1);
    return true;
  }
  return reading.fail(fmt::format("{} is not a whole number up to {}",
                                  dump_json(tree).substr(0, 40), Limits::max()));
}

/// Enums are read by their words; `Last` is the last of them.
template <typename T>
constexpr T kLast{};
template <>
inline constexpr ObjectType kLast<ObjectType> = ObjectType::kMisc;
template <>
inline constexpr CacheType kLast<CacheType> = CacheType::kInstruction;
template <>
inline constexpr MemoryTier kLast<MemoryTier> = MemoryTier::kGpu;
template <>
inline constexpr Level kLast<Level> = Level::kUnknown;
template <>
inline constexpr LinkSource kLast<LinkSource> = LinkSource::kInferred;
template <>
inline constexpr Medium kLast<Medium> = Medium::kSocket;

template <Word T>
bool read(const Json& tree, T& out, Reading& reading) {
  for (int i = 0; i <= int(kLast<T>); ++i) {
    if (!tree.is_string() || tree.get_ref<const std::string&>() != word(T(i))) continue;
    out = T(i);
    return true;
  }
  return reading.fail(fmt::format("{} is no word of ours", dump_json(tree).substr(0, 40)));
}

template <typename T>
bool read(const Json& tree, std::optional<T>& out, Reading& reading) {
  return read(tree, out.emplace(), reading);
}

template <typename T>
bool read(const Json& tree, std::vector<T>& out, Reading& reading);

/// Reads the fields of `value` that `tree` has; stops at the first that does not read.
template <typename T>
class FieldReader {
 public:
  FieldReader(const Json& tree, T& value, Reading& reading)
      : tree_(tree), value_(value), reading_(reading) {}

  template <typename Member>
  void operator()(const char* key, Member T::*member) {
    if (failed_) return;
    const auto found = tree_.find(key);
    if (found == tree_.end() || read(*found, value_.*member, reading_)) return;
    reading_.within(fmt::format(".{}", key));
    failed_ = true;
  }

  template <typename Member>
  void always(const char* key, Member T::*member) {
    (*this)(key, member);
  }

  bool failed() const { return failed_; }

 private:
  const Json& tree_;
  T& value_;
  Reading& reading_;
  bool failed_ = false;
};

template <Described T>
bool read(const Json& tree, T& out, Reading& reading) {
  if (!tree.is_object()) return reading.fail("not an object");
  FieldReader<T> reader(tree, out, reading);
  describe(reader, Of<T>{});
  return !reader.failed();
}

template <typename T>
bool read(const Json& tree, std::vector<T>& out, Reading& reading) {
  if (!tree.is_array()) return reading.fail("not an array");
  if (!reading.take(tree.size() * sizeof(T))) return false;
  out.resize(tree.size());
  for (size_t i = 0; i < tree.size(); ++i)
    if (!read(tree[i], out[i], reading)) return reading.within(fmt::format("[{}]", i));
  return true;
}

}  // namespace aictl::topology
