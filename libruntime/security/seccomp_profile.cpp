#include "libruntime/security/seccomp_profile.h"

#include <linux/seccomp.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libruntime/system/error.h"
#include "libruntime/system/log.h"

namespace hull::security {
namespace {

using configs::SeccompAction;
using configs::SeccompOperator;

constexpr unsigned kMaxArguments = 6;
constexpr const char* kSyscallsField = "/linux/seccomp/syscalls";

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
      return SECCOMP_RET_KILL_THREAD;
    case SeccompAction::kill_process:
      return SECCOMP_RET_KILL_PROCESS;
    case SeccompAction::trap:
      return SECCOMP_RET_TRAP;
    case SeccompAction::errno_:
      return SECCOMP_RET_ERRNO | data;
    case SeccompAction::trace:
      return SECCOMP_RET_TRACE | data;
    case SeccompAction::allow:
      return SECCOMP_RET_ALLOW;
    case SeccompAction::log:
      return SECCOMP_RET_LOG;
    case SeccompAction::notify:
      return SECCOMP_RET_USER_NOTIF;
  }
  throw Error("unknown seccomp action").field(field);
}

Condition condition(const configs::SeccompCall& call, const configs::SeccompArg& arg) {
  if (arg.index >= kMaxArguments)
    throw Error("the system call " + quote(call.name) + " has no argument " +
                std::to_string(arg.index))
        .field(kSyscallsField);
  if (arg.op == SeccompOperator::masked_eq)
    return {arg.index, arg.op, arg.value_two & arg.value, arg.value};
  return {arg.index, arg.op, arg.value};
}

// A rule for each set of conditions that must hold together. Several for one argument are
// alternatives, and then all of the call's are: as in runc.
void add_rules(const configs::SeccompCall& call, size_t row, uint32_t action,
               std::vector<SyscallRule>& out) {
  SyscallRule rule{row, {{}, action}};
  for (const configs::SeccompArg& arg : call.args)
    rule.choice.conditions.push_back(condition(call, arg));
  std::vector<Condition>& conditions = rule.choice.conditions;
  std::stable_sort(conditions.begin(), conditions.end(),
                   [](const Condition& a, const Condition& b) { return a.argument < b.argument; });
  const bool repeated = std::adjacent_find(conditions.begin(), conditions.end(),
                                           [](const Condition& a, const Condition& b) {
                                             return a.argument == b.argument;
                                           }) != conditions.end();
  if (!repeated) return out.push_back(std::move(rule));
  for (const Condition& one : conditions) out.push_back({row, {{one}, action}});
}

// TRACE counts as permissive: a tracer knows what to do with a new call.
bool judges_newer_calls(const configs::Seccomp& profile) {
  switch (profile.default_action) {
    case SeccompAction::allow:
    case SeccompAction::log:
    case SeccompAction::trace:
      return false;
    case SeccompAction::errno_:
      return profile.default_errno_ret != unsigned{ENOSYS};
    default:
      return true;
  }
}

void log_unknown(const configs::SeccompCall& call) {
  if (log::enabled(log::Level::debug))
    log::debug("unknown seccomp syscall " + quote(call.name) + " ignored");
}

}  // namespace

RuleSet rule_set(const configs::Seccomp& profile) {
  RuleSet out;
  out.default_action = action_value(profile.default_action, profile.default_errno_ret,
                                    "/linux/seccomp/defaultErrnoRet");
  out.rules.reserve(profile.calls.size());
  const bool newer = judges_newer_calls(profile);
  for (const configs::SeccompCall& call : profile.calls) {
    const uint32_t action = action_value(call.action, call.errno_ret, kSyscallsField);
    const std::optional<size_t> row = find_syscall(call.name);
    if (!row) {
      log_unknown(call);
      continue;
    }
    if (newer) out.known_rows.push_back(*row);
    if (action != out.default_action) add_rules(call, *row, action, out.rules);
  }
  return out;
}

}  // namespace hull::security
