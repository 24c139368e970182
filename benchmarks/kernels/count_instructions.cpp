// SPDX-License-Identifier: Apache-2.0
// A plugin of QEMU's user mode that prints how many instructions a program executed:
//   qemu-aarch64 -plugin ./count_instructions.so PROGRAM
// Debian ships QEMU without its header, hence the declarations, of version 1 of the interface.
#include <cstddef>
#include <cstdint>
#include <cstdio>

extern "C" {

using qemu_plugin_id_t = std::uint64_t;
struct qemu_info_t;
struct qemu_plugin_tb;

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*translated)(qemu_plugin_id_t, qemu_plugin_tb*));
void qemu_plugin_register_vcpu_tb_exec_inline(qemu_plugin_tb* block, int operation, void* counter,
                                              std::uint64_t value);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*ended)(qemu_plugin_id_t, void*),
                                    void* data);
std::size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb* block);

int qemu_plugin_version = 1;

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t* /*info*/, int /*argc*/,
                        char** /*argv*/) {
  static std::uint64_t executed = 0;
  constexpr int add = 0;
  qemu_plugin_register_vcpu_tb_trans_cb(id, [](qemu_plugin_id_t, qemu_plugin_tb* block) {
    qemu_plugin_register_vcpu_tb_exec_inline(block, add, &executed, qemu_plugin_tb_n_insns(block));
  });
  qemu_plugin_register_atexit_cb(
      id,
      [](qemu_plugin_id_t, void*) {
        std::fprintf(stderr, "instructions: %llu\n", static_cast<unsigned long long>(executed));
      },
      nullptr);
  return 0;
}

}  // extern "C"
