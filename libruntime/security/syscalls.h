#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

// The system calls of every architecture, as the libseccomp of the build knows them: a table that
// syscall_table/main.cpp writes while building. libseccomp itself compares a name with hundreds of
// others to find its number, once for each architecture: 10 ms for a profile like Docker's.
namespace hull::security {

constexpr int32_t kNoCall = -1;

struct SyscallArch {
  std::string_view name;  // config.json's: "SCMP_ARCH_X86_64"
  // libseccomp's SCMP_ARCH_*: the AUDIT_ARCH_* that the kernel reports, except of x32, which has
  // x86_64's.
  uint32_t token;
  // The calls that carry those of sockets and of System V IPC, where the architecture has such.
  int32_t socketcall, ipc;
  const int32_t* numbers;  // by row, kNoCall where the architecture lacks the call

  [[nodiscard]] uint32_t audit_arch() const;
  // Arguments have 64 bits.
  [[nodiscard]] bool wide() const;
  [[nodiscard]] bool little_endian() const;
};

// Those that this libseccomp knows.
std::span<const SyscallArch> syscall_archs();
// Null for a name of none of them.
const SyscallArch* find_syscall_arch(std::string_view name);
// What this program runs on.
const SyscallArch& native_syscall_arch();

// The row of a call's name in the tables of numbers.
std::optional<size_t> find_syscall(std::string_view name);
std::string_view syscall_name(size_t row);
size_t syscall_count();

// How a call of this row reaches the kernel on an architecture with `socketcall` and `ipc`: by
// which of both, and as which number (its first argument). `number` is 0 for all other calls.
struct Multiplexed {
  bool ipc;
  uint8_t number;
};
Multiplexed multiplexed(size_t row);

// How the table finds a name. FNV-1a.
constexpr uint32_t syscall_hash(std::string_view name) {
  uint32_t hash = 2166136261U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash ^ hash >> 16U;
}

// What syscall_table/main.cpp writes.
namespace table {
struct Name {
  std::string_view text;
  Multiplexed multiplexed;
};
extern const std::span<const Name> kNames;
extern const std::span<const uint16_t> kSlots;  // row + 1 by hash, 0 for none; a power of two
extern const std::span<const SyscallArch> kArchs;
extern const size_t kNative;
}  // namespace table

}  // namespace hull::security
