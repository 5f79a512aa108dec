# One library per folder, one place for the flags that all of them share.

add_library(umlfarm_flags INTERFACE)
target_include_directories(umlfarm_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(umlfarm_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
  $<$<BOOL:${UMLFARM_WARNINGS_AS_ERRORS}>:-Werror>
  -fstack-protector-strong)
if(UMLFARM_SANITIZE)
  target_compile_options(umlfarm_flags INTERFACE -fsanitize=${UMLFARM_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(umlfarm_flags INTERFACE -fsanitize=${UMLFARM_SANITIZE})
  # Boost.Asio has a fence that GCC 12 cannot follow.
  if(UMLFARM_SANITIZE STREQUAL thread)
    target_compile_options(umlfarm_flags INTERFACE -Wno-tsan)
  endif()
endif()

# umlfarm_library(NAME SOURCES... [LINKS...]): a static library named after its folder.
function(umlfarm_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC umlfarm_flags ${arg_LINKS})
endfunction()

# umlfarm_test(NAME LABEL SOURCES... [LINKS...]): a GoogleTest program whose cases ctest lists.
function(umlfarm_test name label)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE umlfarm_flags ${arg_LINKS} GTest::gmock GTest::gtest_main)
  # Compiling tests is half of a build, and they run in a moment.
  target_compile_options(${name} PRIVATE -O0 -g1)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS ${label} TIMEOUT 900)
endfunction()
