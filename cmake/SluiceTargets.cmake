# What all our targets share: warnings as errors, sanitizers, split debug information, and the two functions that make them.
set(SLUICE_SANITIZE "" CACHE STRING "Sanitizers for all targets: 'address,undefined' or 'thread'")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # What ccache must let pass to keep objects that were made with precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${CCACHE_PROGRAM}")
endif()
find_program(LLD_PROGRAM NAMES ld.lld-19 ld.lld)
if(LLD_PROGRAM)
  add_link_options("-fuse-ld=${LLD_PROGRAM}")
endif()

add_library(sluice_options INTERFACE)
target_compile_options(sluice_options INTERFACE -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Wthread-safety
  -Wno-gnu-statement-expression)
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_options(sluice_options INTERFACE -g1)
endif()
if(SLUICE_SANITIZE)
  # -pthread and -fPIC for all alike, also programs: precompiled headers demand it.
  add_compile_options(-pthread -fPIC -fsanitize=${SLUICE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g1)
  add_link_options(-fsanitize=${SLUICE_SANITIZE})
endif()
if(SLUICE_BUILD_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Headers that most files include are read once, precompiled, in the sanitizers' builds: half of the time of a small file. Not in the other
# builds, so that a file that lacks an include does not compile there.
# sluice_precompiled(NAME HEADERS <header> .. DEPENDS library ..)
function(sluice_precompiled name)
  if(NOT SLUICE_SANITIZE)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "HEADERS;DEPENDS" ${ARGN})
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/${name}.cc" CONTENT "")
  add_library(${name} OBJECT "${PROJECT_BINARY_DIR}/${name}.cc")
  target_compile_options(${name} PRIVATE -Xclang -fno-pch-timestamp)
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE sluice_options ${ARG_DEPENDS})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
endfunction()

function(sluice_use_precompiled target name)
  if(SLUICE_SANITIZE)
    target_precompile_headers(${target} REUSE_FROM ${name})
  endif()
endfunction()

set(SLUICE_COMMON_HEADERS <algorithm> <array> <atomic> <charconv> <chrono> <cstdint> <cstring> <deque> <expected> <functional> <map>
  <memory> <mutex> <optional> <set> <span> <string> <string_view> <utility> <variant> <vector> <fmt/format.h>)
sluice_precompiled(sluice_common_headers HEADERS ${SLUICE_COMMON_HEADERS} DEPENDS fmt::fmt)

# sluice_library(NAME SOURCES a.cc .. DEPENDS left_neighbour .. PRIVATE outside_library ..)
function(sluice_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/protocol/include")
  target_link_libraries(${name} PUBLIC ${ARG_DEPENDS} PRIVATE sluice_options ${ARG_PRIVATE})
  sluice_use_precompiled(${name} sluice_common_headers)
endfunction()

# Temporary files go below the build tree: /tmp is in memory on Debian 13, and a broker does not call that durable.
file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/tmp")
set(SLUICE_TEST_ENVIRONMENT
  "TMPDIR=${PROJECT_BINARY_DIR}/tmp"
  "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp"
  "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1"
  "UBSAN_OPTIONS=print_stacktrace=1")

# What the ctest entries of programs and scripts share: where they run, label (fast), time limit (300 s), environment.
function(sluice_add_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "COMMAND;LABELS" ${ARGN})
  add_test(NAME ${name} COMMAND ${ARG_COMMAND} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  if(NOT ARG_LABELS)
    set(ARG_LABELS fast)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT "${SLUICE_TEST_ENVIRONMENT}")
endfunction()

# sluice_test(NAME SOURCES a_test.cc .. DEPENDS library .. [LABELS fast|slow]): one Catch2 program, one ctest entry.
function(sluice_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPENDS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE sluice_options sluice_test_main ${ARG_DEPENDS})
  sluice_use_precompiled(${name} sluice_test_headers)
  sluice_add_test(${name} COMMAND ${name} TIMEOUT ${ARG_TIMEOUT} LABELS ${ARG_LABELS})
endfunction()

# sluice_script_test(NAME COMMAND program argument .. [LABELS fast|slow] [TIMEOUT seconds]): one ctest entry for a script, in the same
# environment; exit code 77 says that it cannot run here.
function(sluice_script_test name)
  sluice_add_test(${name} ${ARGN})
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77)
endfunction()

# sluice_fuzzer(NAME SOURCES a_fuzzer.cc .. DEPENDS library .. [CORPUS folder]): one libFuzzer program where SLUICE_BUILD_FUZZERS
# is on. As a test (label fuzz) it runs SLUICE_FUZZ_SECONDS from the corpus, with a fixed seed so that a run can be repeated; what it finds stays in the build tree.
set(SLUICE_FUZZ_SECONDS 5 CACHE STRING "How long ctest runs each fuzz target")
function(sluice_fuzzer name)
  if(NOT SLUICE_BUILD_FUZZERS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "CORPUS" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE sluice_options ${ARG_DEPENDS})
  sluice_use_precompiled(${name} sluice_common_headers)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set(found "${CMAKE_CURRENT_BINARY_DIR}/${name}.found")
  file(MAKE_DIRECTORY "${found}")
  if(ARG_CORPUS)
    get_filename_component(corpus "${ARG_CORPUS}" ABSOLUTE)
  endif()
  math(EXPR timeout "${SLUICE_FUZZ_SECONDS} + 120")
  add_test(NAME ${name} COMMAND ${name} -seed=1 -max_total_time=${SLUICE_FUZZ_SECONDS} -timeout=20 -rss_limit_mb=2048 -print_final_stats=1
    "-artifact_prefix=${found}/" "${found}" ${corpus})
  set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT ${timeout})
endfunction()
