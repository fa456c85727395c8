# A room is a folder with a library of its own: aictl_room(<name> SOURCES ... LINK ...). Its target is aictl_<name>
# with slashes as underscores, so core/http is aictl_core_http. A room may link only rooms that stand before it.

add_library(aictl_flags INTERFACE)
target_include_directories(aictl_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_options(aictl_flags INTERFACE -Wall -Wextra -Wpedantic -fno-omit-frame-pointer)
target_link_libraries(aictl_flags INTERFACE fmt::fmt Threads::Threads)
if(AICTL_WERROR)
  target_compile_options(aictl_flags INTERFACE -Werror)
endif()
if(AICTL_SANITIZE)
  target_compile_options(aictl_flags INTERFACE -fsanitize=${AICTL_SANITIZE} -fno-sanitize-recover=undefined)
  target_link_options(aictl_flags INTERFACE -fsanitize=${AICTL_SANITIZE})
endif()

function(aictl_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINK" ${ARGN})
  string(REPLACE "/" "_" target "aictl_${name}")
  add_library(${target} STATIC ${ROOM_SOURCES})
  target_link_libraries(${target} PUBLIC aictl_flags ${ROOM_LINK})
endfunction()

# aictl_test(<name> SOURCES ... LINK ...): a doctest program of its own, one ctest case.
function(aictl_test name)
  cmake_parse_arguments(TEST "" "" "SOURCES;LINK" ${ARGN})
  add_executable(test_${name} ${TEST_SOURCES})
  target_link_libraries(test_${name} PRIVATE aictl_doctest_main ${TEST_LINK})
  target_compile_definitions(test_${name} PRIVATE
    AICTL_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data" AICTL_SHARED="${PROJECT_SOURCE_DIR}/../shared")
  add_test(NAME ${name} COMMAND test_${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600)
endfunction()

# aictl_fuzz(<name> SOURCES ... LINK ...): a libFuzzer target; its corpus is tests/fuzz/corpus/<name>.
function(aictl_fuzz name)
  if(NOT AICTL_FUZZ)
    return()
  endif()
  cmake_parse_arguments(FUZZ "" "" "SOURCES;LINK" ${ARGN})
  add_executable(fuzz_${name} ${FUZZ_SOURCES})
  target_link_libraries(fuzz_${name} PRIVATE ${FUZZ_LINK})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  if(NOT TARGET fuzzers)
    add_custom_target(fuzzers)
  endif()
  add_dependencies(fuzzers fuzz_${name})
endfunction()
