// CHECK: a broken invariant ends the program with its place. For what a caller, a file or the
// network can cause there is Result. Headers call check_failed themselves, because the tests'
// framework has a macro of the same name.
#pragma once

namespace aictl {

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace aictl

#ifndef CHECK
#define CHECK(x)                                     \
  do {                                               \
    if (!(x)) [[unlikely]]                           \
      ::aictl::check_failed(#x, __FILE__, __LINE__); \
  } while (false)
#endif
