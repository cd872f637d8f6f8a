#pragma once

#include <linux/sched.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "libruntime/configs/config.h"

// Tables of names that parsers, printers and `features` share.
namespace hull::configs {

struct NamespaceName {
  NamespaceType type;
  std::string_view spec;   // config.json: "mount"
  std::string_view state;  // state.json: "NEWNS"
  std::string_view file;   // /proc/[pid]/ns/FILE
  uint64_t flag;           // CLONE_NEW*
};

// In the order of runc's features.
inline constexpr std::array kNamespaces{
    NamespaceName{NamespaceType::cgroup, "cgroup", "NEWCGROUP", "cgroup", CLONE_NEWCGROUP},
    NamespaceName{NamespaceType::ipc, "ipc", "NEWIPC", "ipc", CLONE_NEWIPC},
    NamespaceName{NamespaceType::mount, "mount", "NEWNS", "mnt", CLONE_NEWNS},
    NamespaceName{NamespaceType::network, "network", "NEWNET", "net", CLONE_NEWNET},
    NamespaceName{NamespaceType::pid, "pid", "NEWPID", "pid", CLONE_NEWPID},
    NamespaceName{NamespaceType::time, "time", "NEWTIME", "time", 0x80 /* CLONE_NEWTIME */},
    NamespaceName{NamespaceType::user, "user", "NEWUSER", "user", CLONE_NEWUSER},
    NamespaceName{NamespaceType::uts, "uts", "NEWUTS", "uts", CLONE_NEWUTS},
};

constexpr const NamespaceName& name_of(NamespaceType type) {
  for (const NamespaceName& name : kNamespaces)
    if (name.type == type) return name;
  return kNamespaces[0];
}

struct NumberName {
  std::string_view name;
  int value;
};

template <class Table, class Value>
constexpr std::string_view name_of(const Table& table, Value value) {
  for (const NumberName& entry : table)
    if (static_cast<Value>(entry.value) == value) return entry.name;
  return {};
}

// RLIMIT_* (setrlimit(2)), sorted by name.
inline constexpr std::array kRlimits{
    NumberName{"RLIMIT_AS", 9},          NumberName{"RLIMIT_CORE", 4},
    NumberName{"RLIMIT_CPU", 0},         NumberName{"RLIMIT_DATA", 2},
    NumberName{"RLIMIT_FSIZE", 1},       NumberName{"RLIMIT_LOCKS", 10},
    NumberName{"RLIMIT_MEMLOCK", 8},     NumberName{"RLIMIT_MSGQUEUE", 12},
    NumberName{"RLIMIT_NICE", 13},       NumberName{"RLIMIT_NOFILE", 7},
    NumberName{"RLIMIT_NPROC", 6},       NumberName{"RLIMIT_RSS", 5},
    NumberName{"RLIMIT_RTPRIO", 14},     NumberName{"RLIMIT_RTTIME", 15},
    NumberName{"RLIMIT_SIGPENDING", 11}, NumberName{"RLIMIT_STACK", 3},
};

// sched_setattr(2)
inline constexpr std::array kSchedulerPolicies{
    NumberName{"SCHED_BATCH", 3}, NumberName{"SCHED_DEADLINE", 6}, NumberName{"SCHED_FIFO", 1},
    NumberName{"SCHED_IDLE", 5},  NumberName{"SCHED_ISO", 4},      NumberName{"SCHED_OTHER", 0},
    NumberName{"SCHED_RR", 2},
};

inline constexpr std::array kSchedulerFlags{
    NumberName{"SCHED_FLAG_DL_OVERRUN", 0x04},     NumberName{"SCHED_FLAG_KEEP_PARAMS", 0x10},
    NumberName{"SCHED_FLAG_KEEP_POLICY", 0x08},    NumberName{"SCHED_FLAG_RECLAIM", 0x02},
    NumberName{"SCHED_FLAG_RESET_ON_FORK", 0x01},  NumberName{"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40},
    NumberName{"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
};

// ioprio_set(2)
inline constexpr std::array kIoClasses{
    NumberName{"IOPRIO_CLASS_BE", 2},
    NumberName{"IOPRIO_CLASS_IDLE", 3},
    NumberName{"IOPRIO_CLASS_RT", 1},
};

struct SeccompActionName {
  std::string_view name;
  SeccompAction action;
};

// In runc's order; SCMP_ACT_KILL is the old name of SCMP_ACT_KILL_THREAD.
inline constexpr std::array kSeccompActions{
    SeccompActionName{"SCMP_ACT_ALLOW", SeccompAction::allow},
    SeccompActionName{"SCMP_ACT_ERRNO", SeccompAction::errno_},
    SeccompActionName{"SCMP_ACT_KILL", SeccompAction::kill_thread},
    SeccompActionName{"SCMP_ACT_KILL_PROCESS", SeccompAction::kill_process},
    SeccompActionName{"SCMP_ACT_KILL_THREAD", SeccompAction::kill_thread},
    SeccompActionName{"SCMP_ACT_LOG", SeccompAction::log},
    SeccompActionName{"SCMP_ACT_NOTIFY", SeccompAction::notify},
    SeccompActionName{"SCMP_ACT_TRACE", SeccompAction::trace},
    SeccompActionName{"SCMP_ACT_TRAP", SeccompAction::trap},
};

struct SeccompOperatorName {
  std::string_view name;
  SeccompOperator op;
};

inline constexpr std::array kSeccompOperators{
    SeccompOperatorName{"SCMP_CMP_EQ", SeccompOperator::eq},
    SeccompOperatorName{"SCMP_CMP_GE", SeccompOperator::ge},
    SeccompOperatorName{"SCMP_CMP_GT", SeccompOperator::gt},
    SeccompOperatorName{"SCMP_CMP_LE", SeccompOperator::le},
    SeccompOperatorName{"SCMP_CMP_LT", SeccompOperator::lt},
    SeccompOperatorName{"SCMP_CMP_MASKED_EQ", SeccompOperator::masked_eq},
    SeccompOperatorName{"SCMP_CMP_NE", SeccompOperator::ne},
};

struct SeccompArchName {
  std::string_view spec;  // config.json: "SCMP_ARCH_X86_64"
  std::string_view
      libseccomp;  // seccomp_arch_resolve_name(3): "x86_64"; runc's state.json says "amd64"
  std::string_view state;
};

inline constexpr std::array kSeccompArchs{
    SeccompArchName{"SCMP_ARCH_AARCH64", "aarch64", "arm64"},
    SeccompArchName{"SCMP_ARCH_ARM", "arm", "arm"},
    SeccompArchName{"SCMP_ARCH_LOONGARCH64", "loongarch64", "loongarch64"},
    SeccompArchName{"SCMP_ARCH_M68K", "m68k", "m68k"},
    SeccompArchName{"SCMP_ARCH_MIPS", "mips", "mips"},
    SeccompArchName{"SCMP_ARCH_MIPS64", "mips64", "mips64"},
    SeccompArchName{"SCMP_ARCH_MIPS64N32", "mips64n32", "mips64n32"},
    SeccompArchName{"SCMP_ARCH_MIPSEL", "mipsel", "mipsel"},
    SeccompArchName{"SCMP_ARCH_MIPSEL64", "mipsel64", "mipsel64"},
    SeccompArchName{"SCMP_ARCH_MIPSEL64N32", "mipsel64n32", "mipsel64n32"},
    SeccompArchName{"SCMP_ARCH_PARISC", "parisc", "parisc"},
    SeccompArchName{"SCMP_ARCH_PARISC64", "parisc64", "parisc64"},
    SeccompArchName{"SCMP_ARCH_PPC", "ppc", "ppc"},
    SeccompArchName{"SCMP_ARCH_PPC64", "ppc64", "ppc64"},
    SeccompArchName{"SCMP_ARCH_PPC64LE", "ppc64le", "ppc64le"},
    SeccompArchName{"SCMP_ARCH_RISCV64", "riscv64", "riscv64"},
    SeccompArchName{"SCMP_ARCH_S390", "s390", "s390"},
    SeccompArchName{"SCMP_ARCH_S390X", "s390x", "s390x"},
    SeccompArchName{"SCMP_ARCH_SH", "sh", "sh"},
    SeccompArchName{"SCMP_ARCH_SHEB", "sheb", "sheb"},
    SeccompArchName{"SCMP_ARCH_X32", "x32", "x32"},
    SeccompArchName{"SCMP_ARCH_X86", "x86", "x86"},
    SeccompArchName{"SCMP_ARCH_X86_64", "x86_64", "amd64"},
};

struct SeccompFlagName {
  std::string_view name;
  unsigned bit;  // seccomp(2)
};

inline constexpr std::array kSeccompFlags{
    SeccompFlagName{"SECCOMP_FILTER_FLAG_TSYNC", 1},
    SeccompFlagName{"SECCOMP_FILTER_FLAG_LOG", 2},
    SeccompFlagName{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", 4},
    SeccompFlagName{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 32},
};

}  // namespace hull::configs
