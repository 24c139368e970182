# Everything is for those who develop: `cmake --install build --component Devel` installs all there is.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/homolog)
# One export set each, so that find_package(homolog) makes the targets that were asked for, no others.
foreach(component IN LISTS homolog_components)
  set(user_library "")
  if(component STREQUAL "core")
    set(user_library FILE_SET user_library DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT Devel)
  endif()
  install(TARGETS homolog_${component} EXPORT homolog_${component}
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT Devel
          FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT Devel ${user_library})
  install(EXPORT homolog_${component} FILE homolog_targets_${component}.cmake NAMESPACE homolog::
          DESTINATION ${package_dir} COMPONENT Devel)
endforeach()
configure_package_config_file(cmake/homologConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/homologConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
# Static libraries are for one kind of machine and one LibTorch; headers fit any.
if(HOMOLOG_COMPILED OR HOMOLOG_WITH_CUDA)
  set(architecture "")
else()
  set(architecture ARCH_INDEPENDENT)
endif()
# Before 1.0 the second number changes what users see, the inline namespace to begin with.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/homologConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion ${architecture})
install(FILES ${PROJECT_BINARY_DIR}/homologConfig.cmake
              ${PROJECT_BINARY_DIR}/homologConfigVersion.cmake cmake/homolog_dependencies.cmake
              cmake/homolog_torch.cmake
        DESTINATION ${package_dir} COMPONENT Devel)

# pkg-config for those who do without CMake: homolog::core, which needs no library of ours.
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH homolog_prefix_from_pc /prefix/${pkgconfig_dir} /prefix)
# stb's place is in its own file, where it has one; its library is not needed, as ours is a copy.
string(REGEX REPLACE "/include(/stb)?/?$" "" stb_prefix "${HOMOLOG_STB_INCLUDE_DIR}")
file(GLOB stb_pc ${stb_prefix}/lib*/pkgconfig/stb.pc ${stb_prefix}/lib/*/pkgconfig/stb.pc
                 ${stb_prefix}/share/pkgconfig/stb.pc)
if(stb_pc)
  set(homolog_pc_stb_folder "")
  set(homolog_pc_stb_flag "")
  set(homolog_pc_stb_package "\nRequires.private: stb")
else()
  set(homolog_pc_stb_folder "\nstb_includedir=${HOMOLOG_STB_INCLUDE_DIR}")
  set(homolog_pc_stb_flag " -I\${stb_includedir}")
  set(homolog_pc_stb_package "")
endif()
configure_file(cmake/homolog-core.pc.in ${PROJECT_BINARY_DIR}/homolog-core.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/homolog-core.pc DESTINATION ${pkgconfig_dir} COMPONENT Devel)
