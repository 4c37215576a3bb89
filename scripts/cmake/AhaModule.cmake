# aha_module(NAME trainer/x SOURCES ... [USES trainer/core ...] [LIBRARIES ...])
#
# Makes the static library of the module in this folder. USES both links the named modules and is the
# module's entry in build/layers.txt, which a test compares with the #include lines of its files.
function(aha_target OUT NAME)
  string(REPLACE "/" "_" target ${NAME})
  string(REGEX REPLACE "^trainer_" "" target ${target})
  set(${OUT} aha_${target} PARENT_SCOPE)
endfunction()

function(aha_module)
  cmake_parse_arguments(M "" "NAME" "SOURCES;USES;LIBRARIES" ${ARGN})
  aha_target(target ${M_NAME})
  add_library(${target} STATIC ${M_SOURCES})
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${target} PRIVATE aha_warnings PUBLIC ${M_LIBRARIES})
  foreach(used ${M_USES})
    aha_target(used_target ${used})
    target_link_libraries(${target} PUBLIC ${used_target})
  endforeach()
  string(REPLACE ";" " " uses "${M_USES}")
  set_property(GLOBAL APPEND PROPERTY AHA_LAYERS "${M_NAME}: ${uses}")
endfunction()

function(aha_write_layers)
  get_property(layers GLOBAL PROPERTY AHA_LAYERS)
  string(REPLACE ";" "\n" layers "${layers}")
  file(WRITE ${CMAKE_BINARY_DIR}/layers.txt "${layers}\n")
endfunction()

# aha_test(NAME rewards SOURCES ... LIBRARIES ... [LABELS ...]): one executable of sentences, one CTest.
# The executable is one CTest entry: what it pays to start is paid once. It has the machine for itself, so that what it measures
# and waits for is its own, but BESIDE_OTHERS: it keeps one core busy at most, and no limit of time in it is tight.
function(aha_test)
  cmake_parse_arguments(T "BESIDE_OTHERS" "NAME;TIMEOUT" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  add_executable(test_${T_NAME} ${T_SOURCES})
  target_link_libraries(test_${T_NAME} PRIVATE aha_test_main aha_warnings ${T_LIBRARIES})
  # a fifth of the time that a test's own file takes to compile; what it tests is compiled as it is shipped
  target_compile_options(test_${T_NAME} PRIVATE $<$<CONFIG:Release>:-O1>)
  target_compile_definitions(test_${T_NAME} PRIVATE AHA_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                             AHA_BINARY_DIR="${CMAKE_BINARY_DIR}")
  add_test(NAME ${T_NAME} COMMAND test_${T_NAME} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 300)
  endif()
  set_tests_properties(${T_NAME} PROPERTIES TIMEOUT ${T_TIMEOUT})
  if(NOT T_BESIDE_OTHERS)
    set_tests_properties(${T_NAME} PROPERTIES RUN_SERIAL ON)
  endif()
  if(T_LABELS)
    set_tests_properties(${T_NAME} PROPERTIES LABELS "${T_LABELS}")
  endif()
endfunction()
