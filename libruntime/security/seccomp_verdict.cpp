#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <cstring>

#include "libruntime/security/seccomp.h"
#include "libruntime/security/syscalls.h"

namespace hull::security {
namespace {

// seccomp(2)'s subset of classic BPF, as far as profiles compile to it; what else a given program
// has counts as a refusal.
uint32_t run(const std::vector<uint64_t>& program, const seccomp_data& data) {
  uint32_t accumulator = 0;
  for (size_t at = 0; at < program.size(); ++at) {
    sock_filter one{};
    static_assert(sizeof one == sizeof program[0]);
    std::memcpy(&one, &program[at], sizeof one);
    switch (one.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        if (one.k > sizeof data - sizeof accumulator) return SECCOMP_RET_KILL_PROCESS;
        std::memcpy(&accumulator, reinterpret_cast<const char*>(&data) + one.k, sizeof accumulator);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        accumulator &= one.k;
        break;
      case BPF_JMP | BPF_JA:
        at += one.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        at += accumulator == one.k ? one.jt : one.jf;
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        at += accumulator > one.k ? one.jt : one.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        at += accumulator >= one.k ? one.jt : one.jf;
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        at += (accumulator & one.k) != 0 ? one.jt : one.jf;
        break;
      case BPF_RET | BPF_K:
        return one.k;
      default:
        return SECCOMP_RET_KILL_PROCESS;
    }
  }
  return SECCOMP_RET_KILL_PROCESS;
}

}  // namespace

bool allows(const configs::SeccompProgram& program, long call,
            std::initializer_list<uint64_t> arguments) {
  seccomp_data data{};
  data.nr = static_cast<int>(call);
  data.arch = native_syscall_arch().audit_arch();
  std::copy_n(arguments.begin(), std::min(arguments.size(), std::size(data.args)), data.args);
  const uint32_t action = run(program.instructions, data) & SECCOMP_RET_ACTION_FULL;
  return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

}  // namespace hull::security
