# LibTorch as it lies in the official wheel. Looks at LIBTORCH_ROOT (a folder with include/ and lib/),
# else at what scripts/setup.sh unpacked. Gives LibTorch::cpu: torch_cpu and c10 only, so that a CPU run
# never loads libtorch_cuda.
set(_roots $ENV{LIBTORCH_ROOT} ${LIBTORCH_ROOT} ${AHA_DEPS_DIR}/libtorch/torch $ENV{AHA_DEPS_DIR}/libtorch/torch
    ${CMAKE_SOURCE_DIR}/.deps/libtorch/torch)
find_path(LIBTORCH_INCLUDE ATen/core/Tensor.h PATHS ${_roots} PATH_SUFFIXES include NO_DEFAULT_PATH)
find_library(LIBTORCH_CPU torch_cpu PATHS ${_roots} PATH_SUFFIXES lib NO_DEFAULT_PATH)
find_library(LIBTORCH_C10 c10 PATHS ${_roots} PATH_SUFFIXES lib NO_DEFAULT_PATH)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REASON_FAILURE_MESSAGE "run ./scripts/setup.sh, or set LIBTORCH_ROOT to a folder that holds include/ and lib/"
  REQUIRED_VARS LIBTORCH_INCLUDE LIBTORCH_CPU LIBTORCH_C10)
if(LibTorch_FOUND AND NOT TARGET LibTorch::cpu)
  get_filename_component(_lib ${LIBTORCH_CPU} DIRECTORY)
  get_filename_component(_cuda_runtime ${_lib}/../../nvidia/cu13/lib REALPATH)
  add_library(LibTorch::cpu INTERFACE IMPORTED)
  # LibTorch's include folder carries the headers of another fmt, whose library it does not export: the
  # installed one, which spdlog uses too, must be found first.
  get_target_property(_fmt_include fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
  find_path(LIBTORCH_FMT_INCLUDE fmt/format.h PATHS ${_fmt_include})
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/include_first)
  file(CREATE_LINK ${LIBTORCH_FMT_INCLUDE}/fmt ${CMAKE_BINARY_DIR}/include_first/fmt SYMBOLIC)
  target_include_directories(LibTorch::cpu SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/include_first ${LIBTORCH_INCLUDE})
  target_link_libraries(LibTorch::cpu INTERFACE ${LIBTORCH_CPU} ${LIBTORCH_C10})
  target_link_options(LibTorch::cpu INTERFACE -Wl,-rpath,${_lib} -Wl,-rpath,${_cuda_runtime}
                      -Wl,-rpath-link,${_cuda_runtime} -Wl,--allow-shlib-undefined)
endif()
