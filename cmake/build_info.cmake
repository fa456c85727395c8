# Run at build time: writes cmd/build_info.hpp anew only when something in it changed, so that a commit recompiles one file.
# -DOUT= -DSOURCE= -DVERSION= -DBUILD_TYPE= -DCOMPILER=
execute_process(COMMAND ${CMAKE_COMMAND} -E env GIT_OPTIONAL_LOCKS=0 git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT commit)
  set(commit unknown)
endif()
file(CONFIGURE OUTPUT ${OUT} @ONLY CONTENT [[
// What this binary was built from. Written by cmake/build_info.cmake.
#pragma once

#include <string_view>

namespace aictl {
inline constexpr std::string_view kVersion = "@VERSION@";
inline constexpr std::string_view kCommit = "@commit@";
inline constexpr std::string_view kBuildType = "@BUILD_TYPE@";
inline constexpr std::string_view kCompiler = "@COMPILER@";
}  // namespace aictl
]])
