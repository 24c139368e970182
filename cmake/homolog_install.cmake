include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/homolog)
install(DIRECTORY include/homolog DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS ${homolog_targets} EXPORT homologTargets)
install(EXPORT homologTargets NAMESPACE homolog:: DESTINATION ${package_dir})
configure_package_config_file(cmake/homologConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/homologConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/homologConfigVersion.cmake
                                 COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/homologConfig.cmake
              ${PROJECT_BINARY_DIR}/homologConfigVersion.cmake cmake/homolog_dependencies.cmake
        DESTINATION ${package_dir})
