#include <seccomp.h>

#include <algorithm>

#include "libruntime/system/error.h"
#include "specconv/validate_parts.h"

// config-linux.md#seccomp
namespace hull::specconv {
namespace {

using configs::SeccompAction;

constexpr unsigned kMaxArgIndex = 5;  // seccomp(2): struct seccomp_data
constexpr uint32_t kMaxErrno = 4095;  // what the kernel lets through with SECCOMP_RET_ERRNO
constexpr uint32_t kMaxTrace = 65535;

void check_errno(SeccompAction action, const std::optional<uint32_t>& value,
                 const std::string& pointer, Problems& problems) {
  if (!value) return;
  if (action != SeccompAction::errno_ && action != SeccompAction::trace) {
    problems.add(pointer, "is for SCMP_ACT_ERRNO and SCMP_ACT_TRACE only");
  } else if (*value > (action == SeccompAction::errno_ ? kMaxErrno : kMaxTrace)) {
    problems.add(pointer, "is too large");
  }
}

void check_rule(const SeccompRule& rule, const std::string& base, Problems& problems) {
  if (rule.names.empty()) problems.add(base + "/names", "needs at least one entry");
  check_errno(rule.action, rule.errno_ret, base + "/errnoRet", problems);
  // The agent's answers, and this process telling it about itself, need write(2): it would wait for
  // itself.
  if (rule.action == SeccompAction::notify &&
      std::find(rule.names.begin(), rule.names.end(), "write") != rule.names.end()) {
    problems.add(base + "/action", "SCMP_ACT_NOTIFY cannot be used for the write syscall");
  }
  for (size_t i = 0; i < rule.args.size(); ++i) {
    if (rule.args[i].index > kMaxArgIndex)
      problems.add(pointer_to(base, "args", i, "index"), "must be from 0 to 5");
  }
}

}  // namespace

void check_seccomp(const Seccomp& seccomp, Problems& problems) {
  static constexpr std::string_view kBase = "/linux/seccomp";
  check_errno(seccomp.default_action, seccomp.default_errno_ret,
              pointer_to(kBase, "defaultErrnoRet"), problems);
  if (seccomp.default_action == SeccompAction::notify) {
    problems.add(pointer_to(kBase, "defaultAction"),
                 "SCMP_ACT_NOTIFY cannot be used as default action");
  }
  bool notifies = false;
  for (size_t i = 0; i < seccomp.syscalls.size(); ++i) {
    check_rule(seccomp.syscalls[i], pointer_to(kBase, "syscalls", i), problems);
    notifies = notifies || seccomp.syscalls[i].action == SeccompAction::notify;
  }
  if (notifies && seccomp.listener_path.empty())
    problems.add(pointer_to(kBase, "listenerPath"), "is required with SCMP_ACT_NOTIFY");
  if (!seccomp.listener_metadata.empty() && seccomp.listener_path.empty())
    problems.add(pointer_to(kBase, "listenerMetadata"), "must not be set without listenerPath");
}

void check_syscall_names(const Seccomp& seccomp, Problems& problems) {
  for (size_t i = 0; i < seccomp.syscalls.size(); ++i) {
    const std::vector<std::string>& names = seccomp.syscalls[i].names;
    for (size_t k = 0; k < names.size(); ++k) {
      if (seccomp_syscall_resolve_name(names[k].c_str()) == __NR_SCMP_ERROR)
        problems.add(pointer_to("/linux/seccomp/syscalls", i, "names", k),
                     "libseccomp knows no system call " + quote(names[k]));
    }
  }
}

}  // namespace hull::specconv
