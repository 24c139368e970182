# SPDX-License-Identifier: Apache-2.0
"""Conan 2 recipe: conan create cmake/packaging/conan, of a checkout.

homolog::core and homolog::datasets. LibTorch is in no Conan index in a usable form: those who have it
add homolog by CMake instead.
"""
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeToolchain
from conan.tools.files import copy, load


class HomologConan(ConanFile):
    name = "homolog"
    description = "Header-only semantic correspondence with visual foundation models"
    license = "Apache-2.0"
    topics = ("computer-vision", "semantic-correspondence", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    requires = "eigen/3.4.0", "nlohmann_json/3.11.2", "stb/cci.20220909"
    no_copy_source = True

    def _checkout(self):
        return os.path.join(self.recipe_folder, "..", "..", "..")

    def set_version(self):
        header = load(self, os.path.join(self._checkout(), "include", "homolog", "version.hpp"))
        self.version = re.search(r'HOMOLOG_VERSION "(.*)"', header).group(1)

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "include/*", "cmake/*"):
            copy(self, pattern, self._checkout(), self.export_sources_folder)

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        self.info.clear()

    def generate(self):
        toolchain = CMakeToolchain(self)
        for name in ("WITH_TORCH", "WITH_MATLAB", "BUILD_TESTS", "BUILD_EXAMPLES", "BUILD_BENCHMARKS"):
            toolchain.cache_variables[f"HOMOLOG_{name}"] = False
        toolchain.cache_variables["HOMOLOG_INSTALL"] = True
        toolchain.generate()

    def package(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.install()
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        # homolog's own package files, which find its dependencies by themselves.
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs.append(os.path.join("lib", "cmake", "homolog"))
