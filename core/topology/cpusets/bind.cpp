#include "core/topology/cpusets/bind.hpp"

#include <cerrno>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace aictl::topology {
namespace {

Result<void> bind_cpus(const Bitset& cpus) {
  const size_t count = size_t(cpus.last()) + 1;
  const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(count),
                                                             [](cpu_set_t* s) { CPU_FREE(s); });
  const size_t bytes = CPU_ALLOC_SIZE(count);
  CPU_ZERO_S(bytes, set.get());
  for (const int cpu : cpus.indexes()) CPU_SET_S(size_t(cpu), bytes, set.get());
  if (sched_setaffinity(0, bytes, set.get()) != 0)
    return Error{errno == EPERM ? ErrorCode::kForbidden : ErrorCode::kIo,
                 fmt::format("binding to CPUs {} failed: {}", cpus.list(), std::strerror(errno)),
                 "`aictl topo` shows what is allowed here"};
  return {};
}

}  // namespace

Result<void> bind_process(const Bitset& cpus, const Bitset& nodes, MemoryPolicy policy) {
  if (cpus.empty())
    return Error{ErrorCode::kInvalidArgument, "the set of CPUs to bind to is empty", ""};
  if (auto bound = bind_cpus(cpus); !bound) return bound;
  if (policy == MemoryPolicy::kFree || nodes.empty()) return {};
  constexpr size_t kBits = 8 * sizeof(unsigned long);
  std::vector<unsigned long> mask(size_t(nodes.last()) / kBits + 1);
  for (const int node : nodes.indexes())
    mask[size_t(node) / kBits] |= 1UL << (size_t(node) % kBits);
  const int mode = policy == MemoryPolicy::kBind || nodes.count() > 1 ? MPOL_BIND : MPOL_PREFERRED;
  // The kernel reads one bit less than it is told.
  if (syscall(SYS_set_mempolicy, mode, mask.data(), mask.size() * kBits + 1) != 0 &&
      errno != ENOSYS)
    return Error{
        errno == EPERM ? ErrorCode::kForbidden : ErrorCode::kIo,
        fmt::format("binding to memory nodes {} failed: {}", nodes.list(), std::strerror(errno)),
        "--memory free leaves memory alone; many containers forbid to bind it"};
  return {};
}

Error become(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  const int error = errno;
  return {error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kForbidden,
          fmt::format("'{}' cannot be run: {}", words[0], std::strerror(error)), ""};
}

}  // namespace aictl::topology
