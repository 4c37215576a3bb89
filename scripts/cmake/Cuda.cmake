# libaha_cuda.so, where nvcc and cuBLAS are found. nvcc is called by rules of our own: the rest of the build
# knows no CUDA, and none of its flags.
find_package(CUDAToolkit QUIET)
# NCCL's header; the library is opened when a job has several ranks: beside LibTorch in its wheel, or the system's
get_filename_component(_nvidia ${LIBTORCH_CPU}/../../../nvidia REALPATH)
find_path(NCCL_INCLUDE nccl.h HINTS ${_nvidia}/nccl/include ${CUDAToolkit_INCLUDE_DIRS})
set(_found OFF)
if(CUDAToolkit_FOUND AND CUDAToolkit_NVCC_EXECUTABLE AND TARGET CUDA::cublas AND TARGET CUDA::cudart_static AND NCCL_INCLUDE)
  set(_found ON)
endif()
option(AHA_CUDA "build libaha_cuda.so (needs nvcc, cuBLAS and NCCL's header)" ${_found})
if(AHA_CUDA AND NOT _found)
  message(FATAL_ERROR "AHA_CUDA: no nvcc with cuBLAS and NCCL's header was found; install the CUDA Toolkit, run scripts/setup.sh --cuda "
                      "(or install libnccl-dev), or leave AHA_CUDA off")
endif()

# Code for the A100 and its kin, for the H100 and the H200, and PTX that later GPUs' drivers compile.
set(AHA_CUDA_CODE -gencode arch=compute_80,code=sm_80 -gencode arch=compute_90a,code=sm_90a
    -gencode arch=compute_90,code=compute_90)

# aha_cuda_library(NAME SOURCES a.cu ... b.cpp ...): a shared library beside the program.
function(aha_cuda_library NAME)
  cmake_parse_arguments(L "" "" "SOURCES" ${ARGN})
  set(objects)
  foreach(source ${L_SOURCES})
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${source}.o)
    get_filename_component(folder ${object} DIRECTORY)
    file(MAKE_DIRECTORY ${folder})
    add_custom_command(
      OUTPUT ${object}
      COMMAND ${CMAKE_SOURCE_DIR}/scripts/cmake/logged.sh ${object}.log ${AHA_CCACHE} ${CUDAToolkit_NVCC_EXECUTABLE} -ccbin ${CMAKE_CXX_COMPILER} -std=c++20 -O3 -fmad=false
              --expt-relaxed-constexpr ${AHA_CUDA_CODE} -Werror all-warnings -Xptxas -v
              -Xcompiler -fPIC,-fvisibility=hidden,-Wall,-Wextra -I${CMAKE_SOURCE_DIR} -isystem ${NCCL_INCLUDE} -MD -MF ${object}.d
              -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
      DEPENDS ${source}
      DEPFILE ${object}.d
      COMMENT "Building CUDA object ${source}"
      VERBATIM)
    list(APPEND objects ${object})
  endforeach()
  add_library(${NAME} SHARED ${objects})
  set_target_properties(${NAME} PROPERTIES LINKER_LANGUAGE CXX LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  # cuBLAS and NCCL: beside the library, of the toolkit, or of LibTorch's wheel
  set_target_properties(${NAME} PROPERTIES BUILD_RPATH "$ORIGIN;${CUDAToolkit_LIBRARY_DIR};${_nvidia}/cu13/lib;${_nvidia}/nccl/lib")
  target_link_libraries(${NAME} PRIVATE CUDA::cublas CUDA::cudart_static)
  target_link_options(${NAME} PRIVATE -Wl,--no-undefined)
endfunction()
