// A plugin of QEMU that counts the instructions a machine executes, by where they lie: those of the program under
// measurement in user mode, the kernel's, and those of all other programs. At each mark of meter.cpp it writes a line
// "PROGRAM KERNEL OTHERS" to the file it was given (out=FILE).
//
// The program under measurement is known by its addresses: it alone runs without address space randomisation, so its
// text lies where an unrandomised kernel puts it, and the text of the others, randomised, does not. What lies below all
// randomised programs is its own, too: Node is linked to fixed addresses and compiles to memory near them. (So is the
// shell of the machine, which does nothing while a load runs.)
//
// The declarations are those of version 1 of the plugin interface; Debian ships QEMU without the header.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>

#define GRAY_EXPORT __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;

extern "C" {
extern GRAY_EXPORT int qemu_plugin_version;
int qemu_plugin_version = 1;

void qemu_plugin_register_vcpu_tb_trans_cb(std::uint64_t id, void (*translated)(std::uint64_t id, qemu_plugin_tb*));
std::size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb*);
std::uint64_t qemu_plugin_tb_vaddr(const qemu_plugin_tb*);
qemu_plugin_insn* qemu_plugin_tb_get_insn(const qemu_plugin_tb*, std::size_t index);
const void* qemu_plugin_insn_data(const qemu_plugin_insn*);
std::size_t qemu_plugin_insn_size(const qemu_plugin_insn*);
void qemu_plugin_register_vcpu_tb_exec_inline(qemu_plugin_tb*, int operation, void* counter, std::uint64_t value);
void qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_insn*, void (*executed)(unsigned cpu, void* data), int flags,
                                            void* data);
}

namespace {

constexpr int kAdd = 0;          // QEMU_PLUGIN_INLINE_ADD_U64
constexpr int kNoRegisters = 0;  // QEMU_PLUGIN_CB_NO_REGS
constexpr std::array<unsigned char, 7> kMark = {0x0f, 0x1f, 0x80, 0x47, 0x52, 0x41, 0x59};

// Where x86-64 Linux puts position-independent programs, and where those and their libraries are when unrandomised.
constexpr std::uint64_t kRandomisedFirst = 0x5500'0000'0000;
constexpr std::uint64_t kProgramFirst = 0x5555'5555'4000, kProgramLast = 0x5555'6fff'ffff;
constexpr std::uint64_t kLibrariesFirst = 0x7fff'e000'0000, kLibrariesLast = 0x7fff'ffff'ffff;

std::uint64_t program = 0, kernel = 0, others = 0;
std::FILE* out = nullptr;

std::uint64_t& counter_of(std::uint64_t address) {
  if (address >> 63) return kernel;
  const bool ours = address < kRandomisedFirst || (address >= kProgramFirst && address <= kProgramLast) ||
                    (address >= kLibrariesFirst && address <= kLibrariesLast);
  return ours ? program : others;
}

void on_mark(unsigned, void*) {
  std::fprintf(out, "%llu %llu %llu\n", static_cast<unsigned long long>(program),
               static_cast<unsigned long long>(kernel), static_cast<unsigned long long>(others));
  std::fflush(out);
}

void on_translated(std::uint64_t, qemu_plugin_tb* block) {
  const std::uint64_t address = qemu_plugin_tb_vaddr(block);
  const std::size_t count = qemu_plugin_tb_n_insns(block);
  qemu_plugin_register_vcpu_tb_exec_inline(block, kAdd, &counter_of(address), count);
  for (std::size_t i = 0; i < count && address >> 63 == 0; ++i) {
    qemu_plugin_insn* instruction = qemu_plugin_tb_get_insn(block, i);
    if (qemu_plugin_insn_size(instruction) == kMark.size() &&
        std::memcmp(qemu_plugin_insn_data(instruction), kMark.data(), kMark.size()) == 0)
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_mark, kNoRegisters, nullptr);
  }
}

}  // namespace

extern "C" GRAY_EXPORT int qemu_plugin_install(std::uint64_t id, const void*, int argc, char** argv) {
  if (argc != 1 || std::strncmp(argv[0], "out=", 4) != 0) return 1;
  out = std::fopen(argv[0] + 4, "w");
  if (out == nullptr) return 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
  return 0;
}
