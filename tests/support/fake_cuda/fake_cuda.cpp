// libcuda.so.1 without a driver: two GPUs whose memory is the host's. $AICTL_FAKE_CUDA: "slow",
// "wrong", "hang", "broken"; anything else copies as it should.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

constexpr int kGpus = 2;
int contexts[kGpus];

bool plays(std::string_view part) {
  const char* set = std::getenv("AICTL_FAKE_CUDA");
  return set != nullptr && part == set;
}

}  // namespace

extern "C" {

int cuInit(unsigned) { return plays("broken") ? 802 : 0; }

int cuDeviceGetCount(int* count) {
  *count = kGpus;
  return 0;
}

int cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return 0;
}

int cuDeviceGetPCIBusId(char* text, int size, int device) {
  std::snprintf(text, size_t(size), "0000:%02X:00.0", 0x10 + device);
  return 0;
}

int cuDeviceCanAccessPeer(int* can, int, int) {
  *can = plays("apart") ? 0 : 1;
  return 0;
}

int cuDevicePrimaryCtxRetain(void** context, int device) {
  *context = &contexts[device];
  return 0;
}

int cuCtxSetCurrent(void*) { return 0; }

int cuCtxEnablePeerAccess(void*, unsigned) { return 0; }

int cuCtxSynchronize() { return 0; }

int cuMemAlloc_v2(uint64_t* address, size_t bytes) {
  *address = reinterpret_cast<uint64_t>(std::malloc(bytes));
  return *address != 0 ? 0 : 2;
}

int cuMemFree_v2(uint64_t address) {
  std::free(reinterpret_cast<void*>(address));
  return 0;
}

int cuMemcpyHtoD_v2(uint64_t to, const void* from, size_t bytes) {
  std::memcpy(reinterpret_cast<void*>(to), from, bytes);
  return 0;
}

int cuMemcpyDtoH_v2(void* to, uint64_t from, size_t bytes) {
  std::memcpy(to, reinterpret_cast<void*>(from), bytes);
  return 0;
}

int cuMemcpyPeer(uint64_t to, void*, uint64_t from, void*, size_t bytes) {
  if (plays("hang")) sleep(600);
  if (plays("slow")) usleep(50'000);
  std::memcpy(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), bytes);
  if (plays("wrong")) *reinterpret_cast<char*>(to + bytes / 2) ^= 1;
  return 0;
}
}
