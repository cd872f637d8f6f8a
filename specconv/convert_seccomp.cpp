#include "libruntime/configs/names.h"
#include "specconv/convert_parts.h"

namespace hull::specconv {

configs::Seccomp convert_seccomp(const Seccomp& in) {
  configs::Seccomp out;
  out.default_action = in.default_action;
  out.default_errno_ret = in.default_errno_ret;
  for (const std::string& name : in.architectures) {
    for (const configs::SeccompArchName& arch : configs::kSeccompArchs)
      if (arch.spec == name) out.architectures.emplace_back(arch.state);
  }
  out.flags_given = in.flags.has_value();
  if (in.flags) out.flags = *in.flags;
  out.listener_path = in.listener_path;
  out.listener_metadata = in.listener_metadata;
  for (const SeccompRule& rule : in.syscalls) {
    for (const std::string& name : rule.names)
      out.calls.push_back({name, rule.action, rule.errno_ret, rule.args});
  }
  return out;
}

}  // namespace hull::specconv
