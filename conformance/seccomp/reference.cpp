#include "conformance/seccomp/reference.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>
#include <type_traits>

#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/files.h"
#include "specconv/convert.h"
#include "specconv/parse.h"

namespace hull::conformance {
namespace {

using configs::SeccompAction;
using configs::SeccompOperator;

struct Release {
  void operator()(scmp_filter_ctx filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, Release>;

uint32_t action_value(SeccompAction action, unsigned number) {
  switch (action) {
    case SeccompAction::kill_thread:
      return SCMP_ACT_KILL_THREAD;
    case SeccompAction::kill_process:
      return SCMP_ACT_KILL_PROCESS;
    case SeccompAction::trap:
      return SCMP_ACT_TRAP;
    case SeccompAction::errno_:
      return SCMP_ACT_ERRNO(number);
    case SeccompAction::trace:
      return SCMP_ACT_TRACE(number);
    case SeccompAction::allow:
      return SCMP_ACT_ALLOW;
    case SeccompAction::log:
      return SCMP_ACT_LOG;
    case SeccompAction::notify:
      return SCMP_ACT_NOTIFY;
  }
  throw Error("unknown action");
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
  throw Error("unknown operator");
}

void check(int result, const char* call) {
  if (result != 0) throw Error("libseccomp", call, -result);
}

Filter filter_for(uint32_t default_action, const std::vector<const security::SyscallArch*>& archs) {
  Filter filter(seccomp_init(default_action));
  if (!filter) throw Error("seccomp_init");
  check(seccomp_arch_remove(filter.get(), seccomp_arch_native()), "seccomp_arch_remove");
  for (const security::SyscallArch* arch : archs)
    check(seccomp_arch_add(filter.get(), arch->token), "seccomp_arch_add");
  return filter;
}

// Whether libseccomp takes the call's rules. As runc does: alternatives when an argument comes
// twice, none for the default action and for unknown names.
bool add_call(const Filter& filter, const configs::SeccompCall& call, uint32_t default_action) {
  const uint32_t action = action_value(call.action, call.errno_ret.value_or(EPERM));
  const int number = seccomp_syscall_resolve_name(call.name.c_str());
  if (action == default_action || number == __NR_SCMP_ERROR) return true;
  std::vector<scmp_arg_cmp> conditions;
  std::array<unsigned, 6> uses{};
  bool repeated = false;
  for (const configs::SeccompArg& arg : call.args) {
    conditions.push_back({arg.index, operator_value(arg.op), arg.value, arg.value_two});
    repeated = ++uses[arg.index] > 1 || repeated;
  }
  const auto add = [&](unsigned count, const scmp_arg_cmp* from) {
    const int result = seccomp_rule_add_array(filter.get(), action, number, count, from);
    if (result != 0 && result != -EEXIST) check(result, "seccomp_rule_add_array");
    return result == 0;
  };
  if (!repeated) return add(static_cast<unsigned>(conditions.size()), conditions.data());
  for (const scmp_arg_cmp& condition : conditions)
    if (!add(1, &condition)) return false;
  return true;
}

bool is_action(uint32_t value) {
  const uint32_t action = value & SECCOMP_RET_ACTION_FULL;
  if (action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRACE) return true;
  constexpr std::array kWithoutData{SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD,
                                    SECCOMP_RET_TRAP,         SECCOMP_RET_USER_NOTIF,
                                    SECCOMP_RET_LOG,          SECCOMP_RET_ALLOW};
  return std::find(kWithoutData.begin(), kWithoutData.end(), value) != kWithoutData.end();
}

// For a program that is written for a machine of the other byte order. libseccomp swaps the action
// twice when it copies a return (2.5.4, 2.6.0).
void swap_bytes(std::vector<sock_filter>& code) {
  for (sock_filter& one : code) {
    one.code = __builtin_bswap16(one.code);
    if (one.code == (BPF_RET | BPF_K) && is_action(one.k)) continue;
    one.k = __builtin_bswap32(one.k);
  }
}

std::vector<sock_filter> exported(const Filter& filter, bool swapped) {
  const Fd memory(memfd_create("seccomp", MFD_CLOEXEC));
  if (!memory) throw Error("no memory file", "memfd_create", errno);
  check(seccomp_export_bpf(filter.get(), memory.get()), "seccomp_export_bpf");
  lseek(memory.get(), 0, SEEK_SET);
  const std::string text = read_all(memory.get(), "the seccomp program");
  std::vector<sock_filter> code(text.size() / sizeof(sock_filter));
  std::memcpy(code.data(), text.data(), code.size() * sizeof(sock_filter));
  if (swapped) swap_bytes(code);
  return code;
}

}  // namespace

std::optional<std::vector<sock_filter>> reference_filter(
    const configs::Seccomp& profile, const std::vector<const security::SyscallArch*>& archs) {
  const uint32_t default_action =
      action_value(profile.default_action, profile.default_errno_ret.value_or(EPERM));
  const Filter filter = filter_for(default_action, archs);
  for (const configs::SeccompCall& call : profile.calls)
    if (!add_call(filter, call, default_action)) return std::nullopt;
  // Binary trees: without them libseccomp 2.5.4 and 2.6.0 forget to load the number of the call
  // when the first rule is one that the architecture lacks.
  check(seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2), "seccomp_attr_set");
  return exported(filter,
                  archs.front()->little_endian() != (std::endian::native == std::endian::little));
}

configs::Seccomp engine_profile(const std::string& name) {
  const std::string profile = read_file(HULL_SOURCE_DIR "/conformance/profiles/" + name + ".json");
  const specconv::Spec spec = specconv::parse(
      R"({"ociVersion":"1.0.2","root":{"path":"/"},"linux":{"seccomp":)" + profile + "}}");
  return specconv::convert(spec, {.id = "profile", .bundle = "/"}).seccomp.value();
}

}  // namespace hull::conformance
