# The component that each header is installed with and verified by: of the first of these expressions
# that matches its path below include/homolog; bodies, detail/NAME_inl.hpp, belong with the header NAME.
# tests/gates/headers.py reads them from here.
set(homolog_header_rules "")
# Of core, but for those who bring doctest, OpenCV or nvcc.
list(APPEND homolog_header_rules user_library [[^(testing/doctest|interop/opencv)\.hpp$|\.cuh$]])
list(APPEND homolog_header_rules compiled [[^compiled\.hpp$]])
list(APPEND homolog_header_rules distributed [[^distributed/]])
list(APPEND homolog_header_rules train [[^train/]])
list(APPEND homolog_header_rules matlab [[^datasets/(matlab|pf_willow|pf_pascal_matlab|detail/matlab_elements)\.hpp$]])
list(APPEND homolog_header_rules datasets [[^core/(json_text|detail/strict_json)\.hpp$]])
list(APPEND homolog_header_rules homolog [[^(matchers/tensor/|testing/tensor_|match_on_device)]])
list(APPEND homolog_header_rules core [[^(core|images|kernels|matchers|metrics|testing|visualization)/|^version\.hpp$]])
list(APPEND homolog_header_rules datasets [[^backbones/(families/|(recognize|key_styles|position_interpolation)\.hpp$)]])
list(APPEND homolog_header_rules core [[^backbones/(any_backbone|load_setting|synthetic)\.hpp$|^(match|match_dense|pipeline/pipeline|features/[a-z_]*)\.hpp$]])
list(APPEND homolog_header_rules homolog [[^(backbones|interop)/|^homolog\.hpp$|^weights/torch_tensors\.hpp$]])
list(APPEND homolog_header_rules datasets [[^(datasets|pipeline|selection|weights)/]])

# homolog_headers_<component>: the headers by absolute path.
set(homolog_include ${PROJECT_SOURCE_DIR}/include)
file(GLOB_RECURSE homolog_files CONFIGURE_DEPENDS RELATIVE ${homolog_include}/homolog
     ${homolog_include}/homolog/*.hpp ${homolog_include}/homolog/*.cuh)
foreach(file IN LISTS homolog_files)
  set(rules ${homolog_header_rules})
  set(owner "")
  string(REGEX REPLACE "detail/([a-z0-9_]+)_inl[.]hpp$" "\\1.hpp" header ${file})
  while(rules AND NOT owner)
    list(POP_FRONT rules component expression)
    if(header MATCHES "${expression}")
      set(owner ${component})
    endif()
  endwhile()
  if(NOT owner)
    message(FATAL_ERROR "cmake/homolog_headers.cmake gives ${file} to no component")
  endif()
  list(APPEND homolog_headers_${owner} ${homolog_include}/homolog/${file})
endforeach()
