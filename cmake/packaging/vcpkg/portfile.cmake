# Overlay port: vcpkg install homolog --overlay-ports=cmake/packaging/vcpkg of a checkout.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
vcpkg_check_features(OUT_FEATURE_OPTIONS features
                     FEATURES torch HOMOLOG_WITH_TORCH
                              train HOMOLOG_WITH_TRAIN
                              matlab HOMOLOG_WITH_MATLAB)
vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS ${features} -DHOMOLOG_WITH_DISTRIBUTED=OFF -DHOMOLOG_BUILD_TESTS=OFF
          -DHOMOLOG_BUILD_EXAMPLES=OFF -DHOMOLOG_BUILD_BENCHMARKS=OFF -DHOMOLOG_INSTALL=ON)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/homolog)
vcpkg_fixup_pkgconfig()
# Headers only: what a debug build installed is the same again.
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug" "${CURRENT_PACKAGES_DIR}/lib/pkgconfig/debug")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
