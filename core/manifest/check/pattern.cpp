#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/manifest/check/pattern.hpp"

#include <pcre2.h>

#include <memory>
#include <mutex>
#include <unordered_map>

namespace aictl::manifest {
namespace {

constexpr uint32_t kMatchLimit = 200'000, kDepthLimit = 2'000;

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
using Code = std::unique_ptr<pcre2_code, FreeCode>;

// nullptr: it does not compile.
const pcre2_code* compiled(const std::string& pattern) {
  static std::mutex mutex;  // guards codes
  static std::unordered_map<std::string, Code> codes;
  const std::lock_guard lock(mutex);
  auto [found, is_new] = codes.try_emplace(pattern);
  if (is_new) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    found->second.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                      PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOLLAR_ENDONLY, &error,
                                      &offset, nullptr));
  }
  return found->second.get();
}

}  // namespace

bool pattern_matches(const std::string& pattern, std::string_view text) {
  const pcre2_code* code = compiled(pattern);
  if (code == nullptr) return true;
  thread_local const std::unique_ptr<pcre2_match_data, FreeData> data(
      pcre2_match_data_create(1, nullptr));
  thread_local const std::unique_ptr<pcre2_match_context, FreeContext> context = [] {
    pcre2_match_context* made = pcre2_match_context_create(nullptr);
    pcre2_set_match_limit(made, kMatchLimit);
    pcre2_set_depth_limit(made, kDepthLimit);
    return std::unique_ptr<pcre2_match_context, FreeContext>(made);
  }();
  const int found = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0,
                                data.get(), context.get());
  return found != PCRE2_ERROR_NOMATCH;
}

}  // namespace aictl::manifest
