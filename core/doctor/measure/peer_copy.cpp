#include "core/doctor/measure/peer_copy.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "core/base/file.hpp"
#include "core/doctor/measure/cuda.hpp"

namespace aictl::doctor {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kBytes = size_t{64} << 20;
constexpr int kRepeat = 4;
constexpr size_t kAddressText = 32;

enum class Note : int { kBegins, kDone, kFailed };

/// What the child tells its parent: a copy that begins, one that is done, or the call that failed.
struct Message {
  Note note = Note::kBegins;
  int status = 0;
  std::array<char, kAddressText> from = {}, to = {};
  double gbs = 0;
  bool wrong = false;
};

/// A GPU as the driver counts, with its context and a buffer.
struct Side {
  int device = 0;
  std::array<char, kAddressText> address = {};
  CudaDriver::Context context = nullptr;
  CudaDriver::Address buffer = 0;
};

/// The child's half. Any call of the driver may take forever.
class CopyTest {
 public:
  CopyTest(const CudaDriver& driver, int pipe) : cuda_(driver), pipe_(pipe) {}

  void run() {
    int count = 0;
    if (!ok(cuda_.init(0)) || !ok(cuda_.device_count(&count))) return;
    std::vector<Side> sides(size_t(std::clamp(count, 0, 64)));
    for (size_t i = 0; i < sides.size(); ++i)
      if (!ok(cuda_.device(&sides[i].device, int(i))) ||
          !ok(cuda_.pci_bus_id(sides[i].address.data(), kAddressText, sides[i].device)))
        return;
    for (Side& from : sides)
      for (Side& to : sides) {
        int can = 0;
        if (&from == &to || cuda_.can_access_peer(&can, to.device, from.device) != 0 || can == 0)
          continue;
        if (!prepare(from) || !prepare(to) || !copy(from, to)) return;
      }
  }

 private:
  void tell(const Message& message) const {
    if (write(pipe_, &message, sizeof message) != ssize_t(sizeof message)) _exit(1);
  }

  bool ok(int status) const {
    if (status == 0) return true;
    Message message;
    message.note = Note::kFailed;
    message.status = status;
    tell(message);
    return false;
  }

  bool prepare(Side& side) const {
    if (side.context != nullptr) return true;
    return ok(cuda_.retain_context(&side.context, side.device)) &&
           ok(cuda_.set_context(side.context)) && ok(cuda_.allocate(&side.buffer, kBytes));
  }

  // The pattern differs by pair, so that an earlier copy's bytes are not taken for this one's.
  bool copy(const Side& from, const Side& to) {
    Message message;
    message.from = from.address;
    message.to = to.address;
    tell(message);
    for (size_t i = 0; i < sent_.size(); ++i) sent_[i] = uint32_t(i) * 2654435761u + ++seed_;
    constexpr int kAlreadyEnabled = 704;
    if (!ok(cuda_.set_context(to.context))) return false;
    const int enabled = cuda_.enable_peer(from.context, 0);
    if (enabled != kAlreadyEnabled && !ok(enabled)) return false;
    if (!ok(cuda_.set_context(from.context)) ||
        !ok(cuda_.to_device(from.buffer, sent_.data(), kBytes)) || !ok(cuda_.synchronize()))
      return false;
    if (!ok(cuda_.set_context(to.context))) return false;
    double best = 1e9;
    for (int i = 0; i < kRepeat; ++i) {
      const auto start = Clock::now();
      if (!ok(cuda_.copy_peer(to.buffer, to.context, from.buffer, from.context, kBytes)) ||
          !ok(cuda_.synchronize()))
        return false;
      best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
    }
    if (!ok(cuda_.to_host(got_.data(), to.buffer, kBytes))) return false;
    message.note = Note::kDone;
    message.gbs = double(kBytes) / std::max(best, 1e-9) / 1e9;
    message.wrong = got_ != sent_;
    tell(message);
    return true;
  }

  const CudaDriver& cuda_;
  int pipe_;
  uint32_t seed_ = 0;
  std::vector<uint32_t> sent_ = std::vector<uint32_t>(kBytes / sizeof(uint32_t));
  std::vector<uint32_t> got_ = std::vector<uint32_t>(kBytes / sizeof(uint32_t));
};

topology::PciAddress address_of(const std::array<char, kAddressText>& text) {
  const std::string_view view(text.data(), strnlen(text.data(), text.size()));
  return topology::PciAddress::parse(view).value_or(topology::PciAddress{});
}

/// One message; false when the child has ended or the deadline has passed.
bool receive(int pipe, Clock::time_point end, Message& message) {
  size_t got = 0;
  while (got < sizeof message) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    pollfd wait{pipe, POLLIN, 0};
    if (left.count() <= 0 || poll(&wait, 1, int(left.count())) <= 0) return false;
    const ssize_t n = read(pipe, reinterpret_cast<char*>(&message) + got, sizeof message - got);
    if (n <= 0) return false;
    got += size_t(n);
  }
  return true;
}

}  // namespace

Result<std::vector<PeerCopy>> copy_between_gpus(const std::string& library,
                                                std::chrono::milliseconds deadline) {
  auto driver = open_cuda(library);
  if (!driver) return std::move(driver).error();
  int ends[2];
  if (pipe(ends) != 0) return errno_error("pipe", errno);
  const pid_t child = fork();
  if (child < 0) return errno_error("fork", errno);
  if (child == 0) {
    close(ends[0]);
    CopyTest(*driver, ends[1]).run();
    _exit(0);  // not exit: the parent's streams are not ours to flush
  }
  close(ends[1]);
  const Fd reading(ends[0]);
  std::vector<PeerCopy> copies;
  std::optional<int> failed;
  bool begun = false;
  const auto end = Clock::now() + deadline;
  for (Message message; !failed && receive(reading.get(), end, message);) {
    begun = message.note == Note::kBegins;
    if (message.note == Note::kFailed) failed = message.status;
    if (begun) copies.push_back({address_of(message.from), address_of(message.to), 0, false, true});
    if (message.note == Note::kDone)
      copies.back() = {address_of(message.from), address_of(message.to), message.gbs, message.wrong,
                       false};
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  if (failed)
    return Error{ErrorCode::kUnavailable, fmt::format("the CUDA driver answers {}", *failed),
                 "see nvidia-smi; a busy GPU may have no memory for the test"};
  return copies;
}

void add_copies(const std::vector<PeerCopy>& copies, Topology& machine) {
  for (const PeerCopy& copy : copies) {
    int from = -1, to = -1;
    for (const topology::Gpu& gpu : machine.gpus) {
      if (gpu.pci == copy.from) from = gpu.index;
      if (gpu.pci == copy.to) to = gpu.index;
    }
    if (from < 0 || to < 0) continue;
    const std::string a = fmt::format("gpu{}", std::min(from, to));
    const std::string b = fmt::format("gpu{}", std::max(from, to));
    const auto at = std::ranges::find_if(
        machine.links, [&](const topology::Link& link) { return link.a == a && link.b == b; });
    if (at == machine.links.end()) continue;
    // Of the two ways the worse one counts.
    const bool again = at->source == topology::LinkSource::kMeasured;
    at->gbs = again ? std::min(at->gbs.value_or(0), copy.gbs) : copy.gbs;
    at->source = topology::LinkSource::kMeasured;
    if (copy.wrong) at->note = "wrong data";
    if (copy.hung) at->note = "no answer";
  }
}

}  // namespace aictl::doctor
