#include "libruntime/security/syscalls.h"

#include <elf.h>
#include <linux/audit.h>

#include <algorithm>

namespace hull::security {
namespace {

// MIPS64 N32 (linux/audit.h): 32-bit pointers on a 64-bit machine. libseccomp compares 32 bits.
constexpr uint32_t kN32 = 0x20000000;
constexpr uint32_t kX32 = EM_X86_64 | __AUDIT_ARCH_LE;

}  // namespace

uint32_t SyscallArch::audit_arch() const { return token == kX32 ? AUDIT_ARCH_X86_64 : token; }
bool SyscallArch::wide() const { return (token & __AUDIT_ARCH_64BIT) != 0 && (token & kN32) == 0; }
bool SyscallArch::little_endian() const { return (token & __AUDIT_ARCH_LE) != 0; }

std::span<const SyscallArch> syscall_archs() { return table::kArchs; }

const SyscallArch* find_syscall_arch(std::string_view name) {
  for (const SyscallArch& arch : table::kArchs)
    if (arch.name == name) return &arch;
  return nullptr;
}

const SyscallArch& native_syscall_arch() { return table::kArchs[table::kNative]; }

std::optional<size_t> find_syscall(std::string_view name) {
  const size_t mask = table::kSlots.size() - 1;
  for (size_t at = syscall_hash(name);; ++at) {
    const size_t slot = table::kSlots[at & mask];
    if (slot == 0) return std::nullopt;
    if (table::kNames[slot - 1].text == name) return slot - 1;
  }
}

std::string_view syscall_name(size_t row) { return table::kNames[row].text; }
size_t syscall_count() { return table::kNames.size(); }
Multiplexed multiplexed(size_t row) { return table::kNames[row].multiplexed; }

}  // namespace hull::security
