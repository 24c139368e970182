include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/homolog)
install(DIRECTORY include/homolog DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
list(TRANSFORM homolog_components PREPEND homolog_ OUTPUT_VARIABLE homolog_targets)
install(TARGETS ${homolog_targets} EXPORT homologTargets)
install(EXPORT homologTargets NAMESPACE homolog:: DESTINATION ${package_dir})
configure_package_config_file(cmake/homologConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/homologConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
# The only compiled part is a static library for one LibTorch; everything else fits any machine.
if(HOMOLOG_COMPILED)
  set(architecture "")
else()
  set(architecture ARCH_INDEPENDENT)
endif()
write_basic_package_version_file(${PROJECT_BINARY_DIR}/homologConfigVersion.cmake
                                 COMPATIBILITY SameMajorVersion ${architecture})
install(FILES ${PROJECT_BINARY_DIR}/homologConfig.cmake
              ${PROJECT_BINARY_DIR}/homologConfigVersion.cmake cmake/homolog_dependencies.cmake
        DESTINATION ${package_dir})

# pkg-config for those who do without CMake: homolog::core, which needs no library of ours.
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH homolog_prefix_from_pc /prefix/${pkgconfig_dir} /prefix)
configure_file(cmake/homolog-core.pc.in ${PROJECT_BINARY_DIR}/homolog-core.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/homolog-core.pc DESTINATION ${pkgconfig_dir})
