// Part of the build: writes the table of system calls (syscalls.h) that this libseccomp knows, as a
// C++ source.
#include <seccomp.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "libruntime/configs/names.h"
#include "libruntime/security/syscalls.h"

namespace {

// libseccomp's own numbers (__PNR_*) for calls that an architecture lacks, or has only as part of
// socketcall(2) or ipc(2): seccomp-syscalls.h.
constexpr int kLeastPseudo = -20000;
constexpr int kSocketFirst = -101, kSocketLast = -199, kIpcFirst = -201, kIpcLast = -299;
// Every number is below this one, beside ARM's private ones and what x32 and MIPS add to all.
constexpr int kNumbers = 10000;
constexpr int kArmPrivate = 0x0f0000;
constexpr int kX32Bit = 0x40000000;

struct Arch {
  std::string name;
  uint32_t token = 0;
  std::map<std::string, int> by_scan;  // numbers that libseccomp hides behind its own
};

template <class Body>
void each_name(uint32_t token, int from, int to, Body body) {
  for (int number = from; number < to; ++number) {
    if (number == __NR_SCMP_ERROR) continue;
    char* name = seccomp_syscall_resolve_num_arch(token, number);
    if (name != nullptr) body(name, number);
    std::free(name);
  }
}

std::vector<Arch> known_archs(std::set<std::string>& names) {
  std::vector<Arch> out;
  for (const hull::configs::SeccompArchName& known : hull::configs::kSeccompArchs) {
    const uint32_t token = seccomp_arch_resolve_name(std::string(known.libseccomp).c_str());
    if (token == 0) continue;
    Arch arch{std::string(known.spec), token, {}};
    const auto keep = [&](const char* name, int number) {
      names.insert(name);
      // The last one: MIPS's names are found below its first number as well.
      if (number >= 0) arch.by_scan[name] = number;
    };
    each_name(token, kLeastPseudo, kNumbers, keep);
    each_name(token, kArmPrivate, kArmPrivate + 16, keep);
    out.push_back(std::move(arch));
  }
  return out;
}

bool is_multiplexed(int number) {
  return (number <= kSocketFirst && number >= kSocketLast) ||
         (number <= kIpcFirst && number >= kIpcLast);
}

int number_of(const Arch& arch, const std::string& name) {
  const int number = seccomp_syscall_resolve_name_arch(arch.token, name.c_str());
  if (number >= 0) return number;
  const auto found = arch.by_scan.find(name);
  // Only what is hidden counts: else the number is another name's.
  if (!is_multiplexed(number) || found == arch.by_scan.end()) return hull::security::kNoCall;
  return arch.token == SCMP_ARCH_X32 ? found->second | kX32Bit : found->second;
}

// 0 for a call that no architecture carries by another.
int carried_as(const std::vector<Arch>& archs, const std::string& name) {
  for (const Arch& arch : archs) {
    const int number = seccomp_syscall_resolve_name_arch(arch.token, name.c_str());
    if (is_multiplexed(number)) return number;
  }
  return 0;
}

void print_names(const std::vector<Arch>& archs, const std::set<std::string>& names) {
  std::puts("constexpr Name kNameList[] = {");
  for (const std::string& name : names) {
    const int carried = carried_as(archs, name);
    // The pseudo numbers are those of linux/net.h and linux/ipc.h, less 100 and 200.
    std::printf("{\"%s\", {%s, %d}},\n", name.c_str(), carried <= kIpcFirst ? "true" : "false",
                -carried % 100);
  }
  std::puts("};");
}

void print_slots(const std::set<std::string>& names) {
  size_t size = 1;
  while (size < names.size() * 3) size *= 2;
  std::vector<unsigned> slots(size);
  unsigned row = 0;
  for (const std::string& name : names) {
    size_t at = hull::security::syscall_hash(name);
    while (slots[at % size] != 0) ++at;
    slots[at % size] = ++row;
  }
  std::puts("constexpr uint16_t kSlotList[] = {");
  for (const unsigned slot : slots) std::printf("%u,", slot);
  std::puts("};");
}

void print_archs(const std::vector<Arch>& archs, const std::set<std::string>& names) {
  for (const Arch& arch : archs) {
    std::printf("constexpr int32_t k%s[] = {", arch.name.c_str());
    for (const std::string& name : names) std::printf("%d,", number_of(arch, name));
    std::puts("};");
  }
  std::puts("constexpr SyscallArch kArchList[] = {");
  size_t native = 0;
  for (size_t i = 0; i < archs.size(); ++i) {
    const Arch& arch = archs[i];
    const bool carries = is_multiplexed(seccomp_syscall_resolve_name_arch(arch.token, "socket"));
    std::printf("{\"%s\", %uU, %d, %d, k%s},\n", arch.name.c_str(), arch.token,
                carries ? number_of(arch, "socketcall") : hull::security::kNoCall,
                carries ? number_of(arch, "ipc") : hull::security::kNoCall, arch.name.c_str());
    if (arch.token == seccomp_arch_native()) native = i;
  }
  std::puts("};\n}");
  std::printf("constinit const size_t kNative = %zu;\n", native);
}

}  // namespace

int main() {
  std::set<std::string> names;
  const std::vector<Arch> archs = known_archs(names);
  std::puts("#include \"libruntime/security/syscalls.h\"\n");
  std::puts("namespace hull::security::table {\nnamespace {");
  print_names(archs, names);
  print_slots(names);
  print_archs(archs, names);
  std::puts("constinit const std::span<const Name> kNames(kNameList);");
  std::puts("constinit const std::span<const uint16_t> kSlots(kSlotList);");
  std::puts("constinit const std::span<const SyscallArch> kArchs(kArchList);");
  std::puts("}");
}
