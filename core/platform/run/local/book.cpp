#include "core/platform/run/local/book.hpp"

#include <fmt/format.h>

namespace aictl::platform {

std::string local_url(int port) { return fmt::format("http://127.0.0.1:{}", port); }

std::string LocalBook::resolve(const Workload&, const Reference& reference) const {
  const auto own_port = [&] {
    for (const auto& [name, port] : ports_)
      if (name == reference.target || reference.target.empty()) return port;
    return 0;
  };
  switch (reference.kind) {
    case Reference::Kind::kListen:
      return fmt::format("127.0.0.1:{}", own_port());
    case Reference::Kind::kHost:
      return "127.0.0.1";
    case Reference::Kind::kPort:
      return fmt::format("{}", own_port());
    case Reference::Kind::kUrl: {
      const auto other = others_.find(reference.target);
      return local_url(other == others_.end() ? 0 : other->second);
    }
    case Reference::Kind::kPath:
      break;
  }
  for (const auto& [name, path] : paths_)
    if (name == reference.target) return path;
  return "";
}

}  // namespace aictl::platform
