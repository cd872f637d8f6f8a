#include "libruntime/security/seccomp.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <type_traits>

#include "libruntime/configs/names.h"
#include "libruntime/security/seccomp_enosys.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/log.h"

namespace hull::security {
namespace {

using configs::SeccompAction;
using configs::SeccompOperator;

constexpr unsigned kMaxArguments = 6;
constexpr const char* kSyscallsField = "/linux/seccomp/syscalls";

struct Release {
  void operator()(scmp_filter_ctx filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, Release>;

bool takes_number(SeccompAction action) {
  return action == SeccompAction::errno_ || action == SeccompAction::trace;
}

uint32_t action_value(SeccompAction action, std::optional<unsigned> number, const char* field) {
  if (number && !takes_number(action))
    throw Error("errnoRet is given for an action that returns none").field(field);
  if (number.value_or(0) > SECCOMP_RET_DATA)
    throw Error("errnoRet " + std::to_string(*number) + " does not fit in 16 bits").field(field);
  const auto data = static_cast<uint16_t>(number.value_or(EPERM));
  switch (action) {
    case SeccompAction::kill_thread:
      return SCMP_ACT_KILL_THREAD;
    case SeccompAction::kill_process:
      return SCMP_ACT_KILL_PROCESS;
    case SeccompAction::trap:
      return SCMP_ACT_TRAP;
    case SeccompAction::errno_:
      return SCMP_ACT_ERRNO(data);
    case SeccompAction::trace:
      return SCMP_ACT_TRACE(data);
    case SeccompAction::allow:
      return SCMP_ACT_ALLOW;
    case SeccompAction::log:
      return SCMP_ACT_LOG;
    case SeccompAction::notify:
      return SCMP_ACT_NOTIFY;
  }
  throw Error("unknown seccomp action").field(field);
}

scmp_compare operator_value(SeccompOperator op) {
  switch (op) {
    case SeccompOperator::ne:
      return SCMP_CMP_NE;
    case SeccompOperator::lt:
      return SCMP_CMP_LT;
    case SeccompOperator::le:
      return SCMP_CMP_LE;
    case SeccompOperator::eq:
      return SCMP_CMP_EQ;
    case SeccompOperator::ge:
      return SCMP_CMP_GE;
    case SeccompOperator::gt:
      return SCMP_CMP_GT;
    case SeccompOperator::masked_eq:
      return SCMP_CMP_MASKED_EQ;
  }
  throw Error("unknown seccomp operator").field(kSyscallsField);
}

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

// The token of an architecture by any of its names, 0 when it can't be part of the filter.
uint32_t architecture(const std::string& name, const std::string& field) {
  for (const configs::SeccompArchName& known : configs::kSeccompArchs) {
    if (name != known.state && name != known.libseccomp && name != known.spec) continue;
    const uint32_t token = seccomp_arch_resolve_name(std::string(known.libseccomp).c_str());
    if (token == 0)
      log::warning("seccomp: this libseccomp does not know the architecture " + name +
                   ": its system calls are killed");
    return token;
  }
  throw Error("unknown seccomp architecture " + quote(name)).field(field);
}

// Adds the profile's architectures; returns those that the filter covers, the native one first.
std::vector<uint32_t> add_architectures(const Filter& filter, const configs::Seccomp& profile) {
  std::vector<uint32_t> covered{seccomp_arch_native()};
  for (size_t i = 0; i < profile.architectures.size(); ++i) {
    const std::string& name = profile.architectures[i];
    const std::string field = "/linux/seccomp/architectures/" + std::to_string(i);
    const uint32_t token = architecture(name, field);
    if (token == 0) continue;
    const int result = seccomp_arch_add(filter.get(), token);
    if (result == -EEXIST) continue;
    if (result == -EDOM) {
      // Of another byte order: no process of this machine can be of that kind.
      if (log::enabled(log::Level::debug))
        log::debug("seccomp: the architecture " + name + " is not for this machine");
      continue;
    }
    if (result != 0)
      throw Error("cannot add the seccomp architecture " + quote(name), "seccomp_arch_add", -result)
          .field(field);
    covered.push_back(token);
  }
  return covered;
}

void add_rule(const Filter& filter, const configs::SeccompCall& call, int number, uint32_t action,
              const scmp_arg_cmp* conditions, unsigned count) {
  const int result = seccomp_rule_add_array(filter.get(), action, number, count, conditions);
  if (result == 0) return;
  Error error("cannot add the seccomp rule for the system call " + quote(call.name),
              "seccomp_rule_add", -result);
  error.set_field(kSyscallsField);
  if (result == -EEXIST) error.set_hint("another rule has the same conditions and another action");
  if (result == -EINVAL) error.set_hint("this kernel may lack the action, see seccomp(2)");
  throw error;
}

// Returns the number of rules added.
unsigned add_call(const Filter& filter, const configs::SeccompCall& call, uint32_t default_action) {
  const uint32_t action = action_value(call.action, call.errno_ret, kSyscallsField);
  if (action == default_action) return 0;  // libseccomp refuses such a rule
  const int number = seccomp_syscall_resolve_name(call.name.c_str());
  if (number == __NR_SCMP_ERROR) {
    if (log::enabled(log::Level::debug))
      log::debug("unknown seccomp syscall " + quote(call.name) + " ignored");
    return 0;
  }
  std::vector<scmp_arg_cmp> conditions;
  std::array<unsigned, kMaxArguments> uses{};
  bool repeated = false;
  for (const configs::SeccompArg& arg : call.args) {
    if (arg.index >= kMaxArguments)
      throw Error("the system call " + quote(call.name) + " has no argument " +
                  std::to_string(arg.index))
          .field(kSyscallsField);
    conditions.push_back({arg.index, operator_value(arg.op), arg.value, arg.value_two});
    repeated = ++uses[arg.index] > 1 || repeated;
  }
  if (!repeated) {
    add_rule(filter, call, number, action, conditions.data(),
             static_cast<unsigned>(conditions.size()));
    return 1;
  }
  // libseccomp takes one condition an argument: they become alternatives, as in runc.
  for (const scmp_arg_cmp& condition : conditions)
    add_rule(filter, call, number, action, &condition, 1);
  return static_cast<unsigned>(conditions.size());
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

// The finished program; a memory file, since libseccomp before 2.6 writes to descriptors only.
std::string exported(const Filter& filter) {
  const Fd memory(memfd_create("seccomp", MFD_CLOEXEC));
  if (!memory) throw Error("cannot make room for the seccomp program", "memfd_create", errno);
  const int result = seccomp_export_bpf(filter.get(), memory.get());
  if (result != 0)
    throw Error("cannot build the seccomp program", "seccomp_export_bpf", -result)
        .field("/linux/seccomp");
  if (lseek(memory.get(), 0, SEEK_SET) != 0)
    throw Error("cannot read the seccomp program", "lseek", errno);
  return read_all(memory.get(), "the seccomp program");
}

}  // namespace

configs::SeccompProgram compile(const configs::Seccomp& profile) {
  check_notify(profile);
  const uint32_t default_action = action_value(profile.default_action, profile.default_errno_ret,
                                               "/linux/seccomp/defaultErrnoRet");
  const Filter filter(seccomp_init(default_action));
  if (!filter)
    throw Error("cannot begin a seccomp filter with this default action", "seccomp_init", EINVAL)
        .field("/linux/seccomp/defaultAction")
        .hint("this kernel may lack the action, see seccomp(2)");
  const std::vector<uint32_t> architectures = add_architectures(filter, profile);

  configs::SeccompProgram program;
  unsigned rules = 0;
  for (const configs::SeccompCall& call : profile.calls) {
    const unsigned added = add_call(filter, call, default_action);
    rules += added;
    program.notifies |= added > 0 && call.action == SeccompAction::notify;
  }
  program.flags = flags_of(profile, program.notifies);
  // A binary tree pays from some ten calls on, and libseccomp up to 2.5.4 gets it wrong without any
  // rule. A libseccomp before 2.5 has no such attribute: then the program is only longer.
  if (rules > 32 && seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2) != 0)
    log::debug("seccomp: this libseccomp builds no binary trees");

  std::vector<sock_filter> code = enosys_stub(profile, architectures);
  const size_t stub = code.size();
  const std::string body = exported(filter);
  code.resize(stub + body.size() / sizeof(sock_filter));
  std::memcpy(code.data() + stub, body.data(), (code.size() - stub) * sizeof(sock_filter));
  if (code.size() > BPF_MAXINSNS)
    throw Error("the seccomp profile is too large: it needs " + std::to_string(code.size()) +
                " instructions, the kernel takes " + std::to_string(BPF_MAXINSNS))
        .field(kSyscallsField);
  static_assert(sizeof(sock_filter) == sizeof program.instructions[0]);
  program.instructions.resize(code.size());
  std::memcpy(program.instructions.data(), code.data(), code.size() * sizeof(sock_filter));
  return program;
}

}  // namespace hull::security
