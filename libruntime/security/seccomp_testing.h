#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "libruntime/configs/config.h"
#include "libruntime/configs/resolved.h"
#include "libruntime/system/error.h"

// Helpers of this room's seccomp tests.
namespace hull::security {

// What the kernel would answer (SECCOMP_RET_*) to this system call, worked out without loading the
// program: for tests, of any architecture. Throws Error on an instruction that seccomp(2) would
// not take.
inline uint32_t simulate(std::span<const sock_filter> code, const seccomp_data& call) {
  uint32_t a = 0;
  for (size_t at = 0; at < code.size(); ++at) {
    const sock_filter& one = code[at];
    const auto branch = [&](bool condition) { at += condition ? one.jt : one.jf; };
    switch (one.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        if (one.k % 4 != 0 || one.k >= sizeof call) throw Error("load outside of seccomp_data");
        std::memcpy(&a, reinterpret_cast<const char*>(&call) + one.k, sizeof a);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= one.k;
        break;
      case BPF_JMP | BPF_JA:
        at += one.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        branch(a == one.k);
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        branch(a > one.k);
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        branch(a >= one.k);
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        branch((a & one.k) != 0);
        break;
      case BPF_RET | BPF_K:
        return one.k;
      default:
        throw Error("unexpected BPF instruction " + std::to_string(one.code));
    }
  }
  throw Error("the program has no end");
}

inline std::vector<sock_filter> code_of(const configs::SeccompProgram& program) {
  std::vector<sock_filter> out(program.instructions.size());
  std::memcpy(out.data(), program.instructions.data(), out.size() * sizeof(sock_filter));
  return out;
}

inline uint32_t verdict(const configs::SeccompProgram& program, uint32_t arch, int number,
                        std::array<uint64_t, 6> args = {}) {
  seccomp_data data{number, arch, 0, {}};
  std::copy(args.begin(), args.end(), data.args);
  return simulate(code_of(program), data);
}

inline configs::Seccomp profile_with(configs::SeccompAction default_action) {
  configs::Seccomp profile;
  profile.default_action = default_action;
  return profile;
}

inline configs::SeccompCall rule(const char* name, configs::SeccompAction action,
                                 std::optional<unsigned> errno_ret = {},
                                 std::vector<configs::SeccompArg> args = {}) {
  return {name, action, errno_ret, std::move(args)};
}

// In the manner of Docker's default: a list of what is allowed, some calls by argument, one with an
// errno of its own.
inline configs::Seccomp docker_like() {
  configs::Seccomp profile = profile_with(configs::SeccompAction::errno_);
  profile.architectures = {"amd64", "x86", "x32"};
  for (const char* name :
       {"accept",       "brk",         "clock_gettime", "close",  "dup",        "execve",
        "exit",         "fcntl",       "fstat",         "futex",  "getcwd",     "getpid",
        "getuid",       "ioctl",       "lseek",         "mmap",   "mprotect",   "munmap",
        "openat",       "pipe2",       "prctl",         "read",   "readv",      "rt_sigaction",
        "rt_sigreturn", "sched_yield", "socket",        "stat",   "statx",      "tgkill",
        "uname",        "wait4",       "write",         "writev", "exit_group", "no_such_call"})
    profile.calls.push_back(rule(name, configs::SeccompAction::allow));
  for (const uint64_t persona : {uint64_t{0}, uint64_t{8}, uint64_t{0xffffffff}})
    profile.calls.push_back(
        rule("personality", configs::SeccompAction::allow, {},
             {{.index = 0, .value = persona, .op = configs::SeccompOperator::eq}}));
  profile.calls.push_back(rule("clone", configs::SeccompAction::allow, {},
                               {{.index = 0,
                                 .value = 0x7e020000,
                                 .value_two = 0,
                                 .op = configs::SeccompOperator::masked_eq}}));
  profile.calls.push_back(rule("clone3", configs::SeccompAction::errno_, ENOSYS));
  return profile;
}

}  // namespace hull::security
