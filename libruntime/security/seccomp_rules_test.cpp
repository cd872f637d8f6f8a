#include <linux/audit.h>
#include <linux/seccomp.h>

#include <cerrno>

#include "libruntime/security/seccomp.h"
#include "libruntime/security/seccomp_testing.h"
#include "libruntime/system/catch.h"

#if defined(__x86_64__)

namespace hull::security {

using configs::SeccompAction;

TEST_CASE("Calls newer than the profile give ENOSYS, older ones the default action") {
  const configs::SeccompProgram program = compile(docker_like());
  constexpr uint32_t kEnosys = SECCOMP_RET_ERRNO | ENOSYS, kEperm = SECCOMP_RET_ERRNO | EPERM;
  constexpr int kX32 = 0x40000000;
  struct Kind {
    uint32_t arch;
    int largest;
  };
  // clone3, and on x32, which has numbers of its own for some old calls, execve.
  for (const auto& [arch, largest] : {Kind{AUDIT_ARCH_X86_64, 435}, Kind{AUDIT_ARCH_I386, 435},
                                      Kind{AUDIT_ARCH_X86_64, kX32 + 520}}) {
    CAPTURE(arch, largest);
    CHECK(verdict(program, arch, largest - 1) == kEperm);
    CHECK(verdict(program, arch, largest) != kEperm);
    CHECK(verdict(program, arch, largest + 1) == kEnosys);
    CHECK(verdict(program, arch, largest + 100000) == kEnosys);
  }
  CHECK(verdict(program, AUDIT_ARCH_X86_64, kX32 + 435) == kEnosys);  // clone3's own rule
  CHECK(verdict(program, AUDIT_ARCH_X86_64, 39) == SECCOMP_RET_ALLOW);
  CHECK(verdict(program, AUDIT_ARCH_I386, 20) == SECCOMP_RET_ALLOW);
  CHECK(verdict(program, AUDIT_ARCH_AARCH64, 100000) == SECCOMP_RET_KILL_THREAD);
}

TEST_CASE(
    "The ENOSYS rule covers the machine's own architecture also when the profile lists none") {
  configs::Seccomp profile = docker_like();
  profile.architectures.clear();
  const configs::SeccompProgram program = compile(profile);
  CHECK(verdict(program, AUDIT_ARCH_X86_64, 436) == (SECCOMP_RET_ERRNO | ENOSYS));
  // x32 is not covered: killed, whatever its number.
  CHECK(verdict(program, AUDIT_ARCH_X86_64, 0x40000000 + 436) == SECCOMP_RET_KILL_THREAD);
  CHECK(verdict(program, AUDIT_ARCH_I386, 436) == SECCOMP_RET_KILL_THREAD);
}

TEST_CASE("The ENOSYS rule stays away where the default action lets calls pass or says ENOSYS") {
  for (const auto action : {SeccompAction::allow, SeccompAction::log, SeccompAction::trace}) {
    configs::Seccomp profile = profile_with(action);
    profile.calls = {rule("getppid", SeccompAction::errno_, 77)};
    CHECK(verdict(compile(profile), AUDIT_ARCH_X86_64, 2000) != (SECCOMP_RET_ERRNO | ENOSYS));
  }
  configs::Seccomp profile = docker_like();
  profile.default_errno_ret = ENOSYS;
  const size_t without = compile(profile).instructions.size();
  profile.default_errno_ret = EPERM;
  CHECK(compile(profile).instructions.size() > without);
  profile = profile_with(SeccompAction::kill_process);
  profile.calls = {rule("exit_group", SeccompAction::allow)};
  CHECK(verdict(compile(profile), AUDIT_ARCH_X86_64, 2000) == (SECCOMP_RET_ERRNO | ENOSYS));
}

}  // namespace hull::security

#endif
