# Compiler settings that hold for all of our targets: bits (no contraction), warnings, ccache, mold.

# FMA happens only where the source says so: the same source gives the same bits on every machine.
add_compile_options(-ffp-contract=off)

find_program(AHA_CCACHE ccache)
if(AHA_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${AHA_CCACHE})
endif()
find_program(AHA_MOLD mold)
if(AHA_MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12)
  add_link_options(-fuse-ld=mold)
endif()
if(AHA_SANITIZE)
  # no more than -O1 -g1: the kernels' unrolled tiles would compile for minutes
  add_compile_options(-fsanitize=${AHA_SANITIZE} -fno-omit-frame-pointer -O1 -g1)
  add_link_options(-fsanitize=${AHA_SANITIZE})
  if(AHA_SANITIZE STREQUAL "thread")
    add_compile_options(-Wno-tsan) # fences between processes, which it does not watch
  endif()
endif()
if(AHA_FUZZ)
  # what the fuzzer steers by, in every file; its main is linked in tests/fuzz alone
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -O1 -g1)
  add_link_options(-fsanitize=address,undefined)
endif()

add_library(aha_warnings INTERFACE)
target_compile_options(aha_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion)
if(AHA_WERROR)
  target_compile_options(aha_warnings INTERFACE -Werror)
endif()
