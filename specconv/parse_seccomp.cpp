#include <algorithm>

#include "libruntime/configs/names.h"
#include "specconv/parse_parts.h"

// config-linux.md#seccomp
namespace hull::specconv {
namespace {

using configs::kSeccompActions;
using configs::SeccompActionName;

void read_arg(const Node& node, configs::SeccompArg& out) {
  node.require({"index", "value", "op"});
  node.read("index", out.index);
  node.read("value", out.value);
  node.read("valueTwo", out.value_two);
  node.read_name("op", configs::kSeccompOperators, &configs::SeccompOperatorName::op, out.op);
}

void read_rule(const Node& node, SeccompRule& out) {
  node.require({"names", "action"});
  node.read("names", out.names);
  node.read_name("action", kSeccompActions, &SeccompActionName::action, out.action);
  node.read("errnoRet", out.errno_ret);
  node.each("args", [&](const Node& arg) { read_arg(arg, out.args.emplace_back()); });
}

void read_architectures(const Node& node, std::vector<std::string>& out) {
  if (!node.read("architectures", out)) return;
  for (size_t i = 0; i < out.size(); ++i) {
    const bool known =
        std::any_of(configs::kSeccompArchs.begin(), configs::kSeccompArchs.end(),
                    [&](const configs::SeccompArchName& arch) { return arch.spec == out[i]; });
    if (!known)
      node.member("architectures").problem(std::to_string(i), "unknown value " + quote(out[i]));
  }
}

void read_flags(const Node& node, std::optional<std::vector<std::string>>& out) {
  if (!node.read("flags", out)) return;
  for (size_t i = 0; i < out->size(); ++i) {
    const bool known =
        std::any_of(configs::kSeccompFlags.begin(), configs::kSeccompFlags.end(),
                    [&](const configs::SeccompFlagName& flag) { return flag.name == (*out)[i]; });
    if (!known)
      node.member("flags").problem(std::to_string(i), "unknown value " + quote((*out)[i]));
  }
}

}  // namespace

void read_seccomp(const Node& node, Seccomp& out) {
  node.require({"defaultAction"});
  node.read_name("defaultAction", kSeccompActions, &SeccompActionName::action, out.default_action);
  node.read("defaultErrnoRet", out.default_errno_ret);
  read_architectures(node, out.architectures);
  read_flags(node, out.flags);
  node.read("listenerPath", out.listener_path);
  node.read("listenerMetadata", out.listener_metadata);
  node.each("syscalls", [&](const Node& rule) { read_rule(rule, out.syscalls.emplace_back()); });
}

}  // namespace hull::specconv
