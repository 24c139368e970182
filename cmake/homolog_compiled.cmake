# homolog::compiled: the stock backbones and pipelines as a static library, so that users' sources
# compile without LibTorch's headers.
add_library(homolog_compiled STATIC ${PROJECT_SOURCE_DIR}/cmake/compiled/stock_pipelines.cpp)
add_library(homolog::compiled ALIAS homolog_compiled)
set_target_properties(homolog_compiled PROPERTIES EXPORT_NAME compiled
                                                  POSITION_INDEPENDENT_CODE ON)
target_link_libraries(homolog_compiled PUBLIC homolog_datasets PRIVATE homolog_homolog)
target_sources(homolog_compiled PUBLIC FILE_SET HEADERS BASE_DIRS ${homolog_include}
                                       FILES ${homolog_headers_compiled})
list(APPEND homolog_components compiled)
