#include "libruntime/security/seccomp.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libruntime/configs/names.h"
#include "libruntime/security/seccomp_profile.h"
#include "libruntime/security/seccomp_raw.h"
#include "libruntime/security/seccomp_rules.h"
#include "libruntime/system/error.h"

namespace hull::security {
namespace {

using configs::SeccompAction;

constexpr const char* kSyscallsField = "/linux/seccomp/syscalls";
constexpr std::string_view kRawProgram = "run.oci.seccomp_bpf_data";

// What runc refuses too. The listener reaches the launcher by write(2): a write that waits for the
// listener's answer would wait for ever.
void check_notify(const configs::Seccomp& profile) {
  if (profile.default_action == SeccompAction::notify)
    throw Error("SCMP_ACT_NOTIFY cannot be used as default action")
        .field("/linux/seccomp/defaultAction");
  for (const configs::SeccompCall& call : profile.calls)
    if (call.action == SeccompAction::notify && call.name == "write")
      throw Error("SCMP_ACT_NOTIFY cannot be used for the write syscall").field(kSyscallsField);
}

// By any of its names. Null when it is of another byte order than the machine: none of its
// processes can be of that kind.
const SyscallArch* architecture(const std::string& name, const std::string& field) {
  for (const configs::SeccompArchName& known : configs::kSeccompArchs) {
    if (name != known.state && name != known.libseccomp && name != known.spec) continue;
    const SyscallArch* arch = find_syscall_arch(known.spec);
    if (arch == nullptr)
      throw Error("the seccomp architecture " + quote(known.spec) +
                  " is not supported: this build's libseccomp does not know its system calls")
          .field(field);
    return arch->little_endian() == native_syscall_arch().little_endian() ? arch : nullptr;
  }
  throw Error("unknown seccomp architecture " + quote(name)).field(field);
}

// What the filter covers: the machine's own architecture first, then the profile's.
std::vector<const SyscallArch*> architectures(const configs::Seccomp& profile) {
  std::vector<const SyscallArch*> out{&native_syscall_arch()};
  for (size_t i = 0; i < profile.architectures.size(); ++i) {
    const std::string& name = profile.architectures[i];
    const SyscallArch* arch =
        architecture(name, "/linux/seccomp/architectures/" + std::to_string(i));
    if (arch != nullptr && std::find(out.begin(), out.end(), arch) == out.end())
      out.push_back(arch);
  }
  return out;
}

unsigned flags_of(const configs::Seccomp& profile, bool notifies) {
  if (!profile.flags_given)
    return seccomp_flag_supported(SECCOMP_FILTER_FLAG_SPEC_ALLOW) ? SECCOMP_FILTER_FLAG_SPEC_ALLOW
                                                                  : 0;
  unsigned flags = 0;
  for (size_t i = 0; i < profile.flags.size(); ++i) {
    const std::string field = "/linux/seccomp/flags/" + std::to_string(i);
    const configs::SeccompFlagName* found = nullptr;
    for (const configs::SeccompFlagName& known : configs::kSeccompFlags)
      if (known.name == profile.flags[i]) found = &known;
    if (found == nullptr)
      throw Error("unknown seccomp flag " + quote(profile.flags[i])).field(field);
    // The filter is loaded by a process of one thread.
    if (found->bit == SECCOMP_FILTER_FLAG_TSYNC) continue;
    if (!seccomp_flag_supported(found->bit))
      throw Error("this kernel lacks the seccomp flag " + profile.flags[i]).field(field);
    // The kernel takes this one with a listener only (EINVAL).
    if (found->bit == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV && !notifies) continue;
    flags |= found->bit;
  }
  return flags;
}

configs::SeccompProgram program_of(const std::vector<sock_filter>& code,
                                   const configs::Seccomp& profile, bool notifies) {
  configs::SeccompProgram program;
  program.notifies = notifies;
  program.flags = flags_of(profile, notifies);
  static_assert(sizeof(sock_filter) == sizeof program.instructions[0]);
  program.instructions.resize(code.size());
  std::memcpy(program.instructions.data(), code.data(), code.size() * sizeof(sock_filter));
  return program;
}

// An annotation among the configuration's labels.
std::optional<std::string_view> annotation(const configs::Config& config, std::string_view name) {
  for (const std::string_view label : config.labels)
    if (label.starts_with(name) && label.substr(name.size()).starts_with('='))
      return label.substr(name.size() + 1);
  return std::nullopt;
}

}  // namespace

configs::SeccompProgram compile(const configs::Seccomp& profile) {
  check_notify(profile);
  const RuleSet rules = rule_set(profile);
  const std::vector<sock_filter> code =
      assemble(decide(rules, architectures(profile), SECCOMP_RET_KILL_THREAD));
  if (code.size() > BPF_MAXINSNS)
    throw Error("the seccomp profile is too large: it needs " + std::to_string(code.size()) +
                " instructions, the kernel takes " + std::to_string(BPF_MAXINSNS))
        .field(kSyscallsField);
  const bool notifies = std::any_of(
      rules.rules.begin(), rules.rules.end(),
      [](const SyscallRule& rule) { return rule.choice.action == SECCOMP_RET_USER_NOTIF; });
  return program_of(code, profile, notifies);
}

std::optional<configs::SeccompProgram> program_for(const configs::Config& config) {
  if (const auto raw = annotation(config, kRawProgram)) {
    try {
      return program_of(raw_program(*raw), config.seccomp.value_or(configs::Seccomp{}), false);
    } catch (Error& e) {
      e.set_field("/annotations/" + std::string(kRawProgram));
      throw;
    }
  }
  if (!config.seccomp) return std::nullopt;
  return compile(*config.seccomp);
}

}  // namespace hull::security
