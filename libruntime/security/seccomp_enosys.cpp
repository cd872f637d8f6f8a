#include "libruntime/security/seccomp_enosys.h"

#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

namespace hull::security {
namespace {

// x32 has the AUDIT_ARCH of x86_64 and this bit in its numbers.
constexpr uint32_t kX32Bit = 0x40000000;

constexpr sock_filter statement(unsigned code, uint32_t k) {
  return {static_cast<uint16_t>(code), 0, 0, k};
}
// Skips `when_true` or `when_false` instructions.
constexpr sock_filter jump(unsigned code, uint32_t k, size_t when_true, size_t when_false) {
  return {static_cast<uint16_t>(BPF_JMP | BPF_K | code), static_cast<uint8_t>(when_true),
          static_cast<uint8_t>(when_false), k};
}

constexpr sock_filter kLoadArch = statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
constexpr sock_filter kLoadNumber = statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
constexpr sock_filter kEnosys = statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
// Its distance is filled in when the end is known.
constexpr sock_filter kToFilter = statement(BPF_JMP | BPF_JA, 0);

bool is_to_filter(const sock_filter& one) { return one.code == (BPF_JMP | BPF_JA); }

// TRACE counts as permissive: a tracer knows what to do with a new call.
bool needs_stub(const configs::Seccomp& profile) {
  switch (profile.default_action) {
    case configs::SeccompAction::allow:
    case configs::SeccompAction::log:
    case configs::SeccompAction::trace:
      return false;
    case configs::SeccompAction::errno_:
      return profile.default_errno_ret != unsigned{ENOSYS};
    default:
      return true;
  }
}

// 0 when the profile names no call of this architecture.
uint32_t largest_number(const configs::Seccomp& profile, uint32_t architecture) {
  uint32_t largest = 0;
  for (const configs::SeccompCall& call : profile.calls) {
    const int number = seccomp_syscall_resolve_name_arch(architecture, call.name.c_str());
    // Below 0: unknown, or libseccomp's own number for a call that this architecture lacks.
    if (number > 0) largest = std::max(largest, static_cast<uint32_t>(number));
  }
  return largest;
}

// Expects the number of the call to be loaded. Always three instructions.
void append_limit(std::vector<sock_filter>& code, uint32_t largest) {
  // Without a name to go by nothing can be said about what is newer.
  code.push_back(largest == 0 ? kToFilter : jump(BPF_JGT, largest, 0, 1));
  code.push_back(kEnosys);
  code.push_back(kToFilter);
}

std::vector<sock_filter> section(const configs::Seccomp& profile, uint32_t architecture,
                                 bool with_x32) {
  std::vector<sock_filter> code{kLoadNumber};
  if (architecture == SCMP_ARCH_S390 || architecture == SCMP_ARCH_S390X) {
    // Numbers above 255 come through setup(2), call 0, and stay 0 when the kernel does not know
    // them.
    code.push_back(jump(BPF_JEQ, 0, 0, 1));
    code.push_back(kEnosys);
  }
  const uint32_t largest = largest_number(profile, architecture);
  if (architecture != SCMP_ARCH_X86_64) {
    append_limit(code, largest);
    return code;
  }
  code.push_back(jump(BPF_JSET, kX32Bit, 3, 0));
  append_limit(code, largest);
  append_limit(code, with_x32 ? largest_number(profile, SCMP_ARCH_X32) : 0);
  return code;
}

}  // namespace

std::vector<sock_filter> enosys_stub(const configs::Seccomp& profile,
                                     const std::vector<uint32_t>& architectures) {
  if (!needs_stub(profile)) return {};
  const auto covered = [&](uint32_t architecture) {
    return std::find(architectures.begin(), architectures.end(), architecture) !=
           architectures.end();
  };
  std::vector<sock_filter> code{kLoadArch};
  for (const uint32_t architecture : architectures) {
    // Part of x86_64's section: only such a machine has calls of this kind.
    if (architecture == SCMP_ARCH_X32) continue;
    const std::vector<sock_filter> body = section(profile, architecture, covered(SCMP_ARCH_X32));
    // libseccomp's tokens are the AUDIT_ARCH_* that the kernel reports, x32 apart.
    code.push_back(jump(BPF_JEQ, architecture, 0, body.size()));
    code.insert(code.end(), body.begin(), body.end());
  }
  for (size_t i = 0; i < code.size(); ++i)
    if (is_to_filter(code[i])) code[i].k = static_cast<uint32_t>(code.size() - i - 1);
  return code;
}

}  // namespace hull::security
