# Toolchain file: Debian's cross compiler (g++-aarch64-linux-gnu). Tests run under qemu-aarch64
# (qemu-user) where it is.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
find_program(HOMOLOG_QEMU_AARCH64 qemu-aarch64)
if(HOMOLOG_QEMU_AARCH64)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${HOMOLOG_QEMU_AARCH64} -L /usr/aarch64-linux-gnu)
endif()
