# Makes the target `torch`, unless there is one: from LibTorch in CMAKE_PREFIX_PATH, Torch_DIR or the
# system, else from the wheel of the Python in use. Read by homolog_dependencies.cmake; run as a script it
# prints the version and TorchConfig.cmake of the LibTorch that CMake finds, or the version alone of one that is too old.
if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  cmake_minimum_required(VERSION 3.24)
endif()
set(homolog_oldest_torch 2.4)

# The TorchConfig.cmake that find_package(Torch) would read, and its version, without reading it: no
# LibTorch is as new as asked for here, so CMake notes each one it comes by and leaves it alone. One
# that is too old gives way to a later one; `config` is then empty where there is none.
function(homolog_locate_torch config version)
  set(CMAKE_REQUIRE_FIND_PACKAGE_Torch OFF)
  unset(Torch_CONSIDERED_CONFIGS)
  set(given "${Torch_DIR}")
  find_package(Torch 99999 QUIET CONFIG)
  unset(Torch_DIR CACHE)
  if(given)
    set(Torch_DIR "${given}" CACHE PATH "The folder of TorchConfig.cmake" FORCE)
  endif()
  set(${config} "" PARENT_SCOPE)
  set(${version} "" PARENT_SCOPE)
  foreach(a_config a_version IN ZIP_LISTS Torch_CONSIDERED_CONFIGS Torch_CONSIDERED_VERSIONS)
    set(${version} ${a_version} PARENT_SCOPE)
    if(NOT a_version VERSION_LESS homolog_oldest_torch)
      set(${config} ${a_config} PARENT_SCOPE)
      break()
    endif()
  endforeach()
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  list(APPEND CMAKE_SYSTEM_PREFIX_PATH /usr/local /usr)
  homolog_locate_torch(config version)
  if(version)
    execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${version} ${config}")  # standard output
  endif()
  return()
endif()

# The folder of TorchConfig.cmake in the Python environment in use. Python names it without importing
# PyTorch, which not every wheel's libraries are complete enough for.
function(homolog_locate_torch_wheel folder)
  set(${folder} "" PARENT_SCOPE)
  if(CMAKE_CROSSCOMPILING OR CMAKE_DISABLE_FIND_PACKAGE_Torch)
    return()
  endif()
  find_program(homolog_python NAMES python3 python HINTS ENV VIRTUAL_ENV PATH_SUFFIXES bin NO_CACHE
               NO_CMAKE_PATH NO_CMAKE_ENVIRONMENT_PATH)
  if(homolog_python)
    execute_process(
      COMMAND ${homolog_python} -c "import importlib.util as u; print(*u.find_spec('torch').submodule_search_locations)"
      WORKING_DIRECTORY ${CMAKE_CURRENT_FUNCTION_LIST_DIR} OUTPUT_VARIABLE place ERROR_QUIET
      OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(EXISTS "${place}/share/cmake/Torch/TorchConfig.cmake")
      set(${folder} "${place}/share/cmake/Torch" PARENT_SCOPE)
    endif()
  endif()
endfunction()

# Whether a program that links `libraries` starts; `missing` says what it lacks: a library, where the
# linker or the loader names one.
function(homolog_torch_starts libraries result missing)
  set(source ${CMAKE_BINARY_DIR}/CMakeFiles/homolog_torch.cpp)
  file(WRITE ${source} "int main() { return 0; }\n")
  unset(homolog_torch_linked CACHE)
  unset(homolog_torch_exit CACHE)
  set(text "")
  set(run_text "")
  if(NOT TARGET homolog_torch_trial)
    add_library(homolog_torch_trial INTERFACE IMPORTED)
  endif()
  set_property(TARGET homolog_torch_trial PROPERTY INTERFACE_LINK_LIBRARIES
                                                "-Wl,--no-as-needed;${libraries}")
  if(CMAKE_CROSSCOMPILING)
    try_compile(homolog_torch_linked ${CMAKE_BINARY_DIR}/CMakeFiles/homolog_torch ${source}
                LINK_LIBRARIES homolog_torch_trial OUTPUT_VARIABLE text)
    set(homolog_torch_exit 0)
  else()
    try_run(homolog_torch_exit homolog_torch_linked ${CMAKE_BINARY_DIR}/CMakeFiles/homolog_torch
            ${source} LINK_LIBRARIES homolog_torch_trial COMPILE_OUTPUT_VARIABLE text
            RUN_OUTPUT_VARIABLE run_text)
  endif()
  set(${missing} "a library that the linker does not name" PARENT_SCOPE)
  if("${text}${run_text}" MATCHES "(lib[A-Za-z_]+[-.0-9a-z]*\\.so[.0-9]*)[:,] *(needed by|cannot open)")
    set(${missing} ${CMAKE_MATCH_1} PARENT_SCOPE)
  endif()
  if(homolog_torch_linked AND homolog_torch_exit EQUAL 0)
    set(${result} TRUE PARENT_SCOPE)
  else()
    set(${result} FALSE PARENT_SCOPE)
  endif()
  unset(homolog_torch_linked CACHE)
  unset(homolog_torch_exit CACHE)
endfunction()

# The nvcc of a toolkit of CUDA `major`, if it is one that LibTorch's own CMake files in `modules` find
# too: those of a CUDA build stop without.
function(homolog_find_nvcc major modules result)
  set(${result} "" PARENT_SCOPE)
  if(CMAKE_CROSSCOMPILING)
    return()
  endif()
  find_program(homolog_nvcc NAMES ${CMAKE_CUDA_COMPILER} $ENV{CUDACXX} nvcc
               HINTS ${CUDA_TOOLKIT_ROOT_DIR} ${CUDAToolkit_ROOT} $ENV{CUDA_PATH} $ENV{CUDA_HOME}
               PATHS /usr/local/cuda PATH_SUFFIXES bin NO_CACHE)
  if(homolog_nvcc)
    execute_process(COMMAND ${homolog_nvcc} --version OUTPUT_VARIABLE text ERROR_QUIET)
    if(text MATCHES "release ${major}\\.")
      list(APPEND CMAKE_MODULE_PATH ${modules})
      find_package(CUDA QUIET)
      if(CUDA_FOUND)
        set(${result} ${homolog_nvcc} PARENT_SCOPE)
      endif()
    endif()
  endif()
endfunction()

# Whether headers of NCCL and of what LibTorch's use of it includes are in these folders and compile.
function(homolog_has_nccl folders result)
  set(source ${CMAKE_BINARY_DIR}/CMakeFiles/homolog_nccl.cpp)
  file(WRITE ${source} "#include <nccl.h>\n#include <cublasLt.h>\n#include <cublas_v2.h>
#include <cusolverDn.h>\n#include <cusparse.h>\n")
  set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
  unset(homolog_nccl_compiled CACHE)
  try_compile(homolog_nccl_compiled ${CMAKE_BINARY_DIR}/CMakeFiles/homolog_nccl ${source}
              CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${folders}")
  set(${result} ${homolog_nccl_compiled} PARENT_SCOPE)
  unset(homolog_nccl_compiled CACHE)
endfunction()

# What to type for the two CUDA libraries that the CPU side of a wheel loads: its metadata names them.
function(homolog_cuda_packages root sentence)
  set(${sentence} "" PARENT_SCOPE)
  file(GLOB metadata ${root}/../torch-*.dist-info/METADATA)
  if(metadata)
    list(GET metadata 0 metadata)
    file(READ ${metadata} text)
    set(packages "")
    foreach(name cupti runtime)
      if(text MATCHES "Requires-Dist: (nvidia-cuda-${name}[-a-z0-9]*) *\\(?(==[.0-9]+)")
        string(APPEND packages " ${CMAKE_MATCH_1}${CMAKE_MATCH_2}")
      endif()
    endforeach()
    if(text MATCHES "Requires-Dist: cuda-toolkit\\[[a-z,]*\\](==[.0-9]+)")
      string(APPEND packages " 'cuda-toolkit[cudart,cupti]${CMAKE_MATCH_1}'")
    endif()
    set(${sentence} " It comes by: pip install${packages}" PARENT_SCOPE)
  endif()
endfunction()

# The target `torch` of a CUDA build whose toolkit is not here, or whose CUDA libraries are not: its
# headers and libraries are enough for what is compiled here. Where LibTorch's own CMake files serve, no
# target is made; where neither does, `error` becomes a sentence.
function(homolog_make_cuda_torch config version error)
  set(${error} "" PARENT_SCOPE)
  cmake_path(GET config PARENT_PATH folder)
  set(caffe2 ${folder}/../Caffe2/Caffe2Config.cmake)
  if(EXISTS ${caffe2})
    file(STRINGS ${caffe2} uses_cuda REGEX "set\\(CAFFE2_USE_CUDA (1|ON|TRUE)\\)")
  endif()
  set(root ${folder})
  set(below "")
  while(NOT EXISTS ${root}/lib/libtorch_cpu.so AND NOT root STREQUAL below)
    set(below ${root})
    cmake_path(GET root PARENT_PATH root)
  endwhile()
  if(NOT uses_cuda OR NOT EXISTS ${root}/lib/libtorch_cpu.so)
    return()
  endif()

  set(lib ${root}/lib)
  set(cuda_major "")
  if(EXISTS ${lib}/libc10_cuda.so)
    file(STRINGS ${lib}/libc10_cuda.so runtime REGEX "^libcudart[-0-9a-f]*\\.so\\.[0-9]+" LIMIT_COUNT 1)
    string(REGEX REPLACE ".*\\.so\\.([0-9]+).*" "\\1" cuda_major "${runtime}")
  endif()
  homolog_find_nvcc("${cuda_major}" ${folder}/../Caffe2/Modules_CUDA_fix nvcc)
  set(toolkit "")
  if(nvcc)
    cmake_path(GET nvcc PARENT_PATH toolkit)
    set(toolkit "-Wl,-rpath,${toolkit}/../lib64")
  endif()

  # libtorch.so holds nothing but the names of libtorch_cpu and libtorch_cuda. As a program calls
  # nothing of the latter by name, linkers drop it unless told otherwise: by one string, as CMake puts
  # several into an order of its own.
  set(kept "-Wl,--push-state,--no-as-needed \"${lib}/libtorch")
  set(cpu "${kept}_cpu.so\" -Wl,--pop-state" ${lib}/libc10.so)
  set(cuda "${kept}.so\" -Wl,--pop-state" ${lib}/libtorch_cuda.so ${lib}/libtorch_cpu.so
           ${lib}/libc10_cuda.so ${lib}/libc10.so)
  homolog_torch_starts("${cuda};${toolkit}" with_cuda missing)
  if(with_cuda AND nvcc)
    return()
  elseif(with_cuda)
    set(libraries ${cuda})
    set(which "for the CPU and CUDA ${cuda_major}, without a CUDA toolkit")
  else()
    set(libraries ${cpu})
    set(which "for the CPU alone, as ${missing} of its CUDA libraries is not here")
    homolog_torch_starts("${cpu}" with_cpu missing_on_cpu)
    if(NOT with_cpu)
      homolog_cuda_packages(${root} packages)
      set(${error} "LibTorch ${version} of ${root} needs ${missing_on_cpu} on the CPU too, which was \
not found.${packages}" PARENT_SCOPE)
      return()
    endif()
  endif()

  file(STRINGS ${config} flags REGEX "_GLIBCXX_USE_CXX11_ABI=[01]")
  string(REGEX MATCH "_GLIBCXX_USE_CXX11_ABI=[01]" abi "${flags}")
  add_library(torch INTERFACE IMPORTED GLOBAL)
  target_include_directories(torch SYSTEM INTERFACE ${root}/include
                                                    ${root}/include/torch/csrc/api/include)
  target_compile_definitions(torch INTERFACE ${abi})
  target_link_libraries(torch INTERFACE ${libraries})
  set(Torch_DIR ${folder} CACHE PATH "The folder of TorchConfig.cmake" FORCE)
  if(with_cuda)  # for NCCL, with which processes exchange what lies on devices
    file(GLOB cuda_headers LIST_DIRECTORIES TRUE ${root}/../nvidia/*/include)
    homolog_has_nccl("${cuda_headers}" has_nccl)
    if(has_nccl)
      set_property(TARGET torch PROPERTY homolog_cuda_headers "${cuda_headers}")
    else()
      string(APPEND which ", and without NCCL, whose headers need the packages nvidia-cuda-crt and \
nvidia-cuda-cccl of CUDA ${cuda_major}")
    endif()
  endif()
  if(NOT homolog_quiet)
    message(STATUS "homolog: LibTorch ${version} of ${root}, ${which}")
  endif()
endfunction()

# Of homolog_find_dependencies.
macro(homolog_find_torch)
  if(NOT TARGET torch)
    homolog_locate_torch(homolog_torch_config homolog_torch_version)
    if(NOT homolog_torch_config)
      homolog_locate_torch_wheel(homolog_torch_folder)
      if(homolog_torch_folder)
        set(Torch_DIR ${homolog_torch_folder} CACHE PATH "The folder of TorchConfig.cmake" FORCE)
        homolog_locate_torch(homolog_torch_config homolog_torch_version)
      endif()
    endif()
    # What LibTorch's files found of another one stays in the cache.
    if(NOT "${HOMOLOG_TORCH_CONFIG}" STREQUAL "${homolog_torch_config}")
      foreach(homolog_library TORCH c10 C10_CUDA kineto torch_cpu CAFFE2_NVRTC)
        unset(${homolog_library}_LIBRARY CACHE)
      endforeach()
      set(HOMOLOG_TORCH_CONFIG "${homolog_torch_config}" CACHE INTERNAL "")
    endif()
  endif()
  if(TARGET torch)
    # The project's own.
  elseif(homolog_torch_config)
    homolog_make_cuda_torch("${homolog_torch_config}" "${homolog_torch_version}" homolog_missing)
    if(NOT TARGET torch AND NOT homolog_missing)
      cmake_path(GET homolog_torch_config PARENT_PATH homolog_torch_folder)
      set(Torch_DIR ${homolog_torch_folder} CACHE PATH "The folder of TorchConfig.cmake" FORCE)
      homolog_find(Torch torch)
      if(NOT homolog_quiet)
        message(STATUS "homolog: LibTorch ${homolog_torch_version} of ${homolog_torch_folder}")
      endif()
    endif()
  elseif(homolog_torch_version AND NOT CMAKE_DISABLE_FIND_PACKAGE_Torch)
    set(homolog_missing "LibTorch ${homolog_torch_version} was found, and ${homolog_oldest_torch} or newer \
is needed. Give the folder of one in CMAKE_PREFIX_PATH")
  else()  # a dependency provider may know of one that this file does not
    homolog_find(Torch torch)
  endif()
endmacro()
