#include <algorithm>

#include "specconv/names.h"
#include "specconv/parse_parts.h"

// config.md#process
namespace hull::specconv {
namespace {

void read_user(const Node& node, Process& out) {
  node.read("uid", out.uid);
  node.read("gid", out.gid);
  node.read("umask", out.umask);
  node.read("additionalGids", out.additional_gids);
}

void read_capabilities(const Node& node, configs::Capabilities& out) {
  node.read("bounding", out.bounding);
  node.read("effective", out.effective);
  node.read("inheritable", out.inheritable);
  node.read("permitted", out.permitted);
  node.read("ambient", out.ambient);
}

void read_rlimit(const Node& node, std::vector<configs::Rlimit>& out) {
  node.require({"type", "soft", "hard"});
  configs::Rlimit limit;
  node.read("soft", limit.soft);
  node.read("hard", limit.hard);
  if (!node.read_name("type", configs::kRlimits, &configs::NumberName::value, limit.type)) return;
  // config.md#posix-process: "If rlimits contains duplicated entries with same type, the runtime
  // MUST generate an error".
  if (std::any_of(out.begin(), out.end(), [&](const auto& one) { return one.type == limit.type; }))
    return node.problem("type", "duplicated rlimit");
  out.push_back(limit);
}

void read_scheduler(const Node& node, configs::Scheduler& out) {
  node.require({"policy"});
  node.read_name("policy", configs::kSchedulerPolicies, &NumberName::value, out.policy);
  node.read("nice", out.nice);
  node.read("priority", out.priority);
  node.read_names("flags", configs::kSchedulerFlags, &NumberName::value, out.flags);
  node.read("runtime", out.runtime);
  node.read("deadline", out.deadline);
  node.read("period", out.period);
}

void read_io_priority(const Node& node, configs::IoPriority& out) {
  node.require({"class"});
  node.read_name("class", configs::kIoClasses, &NumberName::value, out.io_class);
  node.read("priority", out.priority);
}

}  // namespace

void read_process(const Node& node, Process& out) {
  if (!node.member("cwd").present()) node.problem("cwd", "Cwd property must not be empty");
  node.read("terminal", out.terminal);
  if (const Node size = node.object("consoleSize"); size.present()) {
    size.require({"height", "width"});
    ConsoleSize& console = out.console_size.emplace();
    size.read("height", console.height);
    size.read("width", console.width);
  }
  if (const Node user = node.object("user"); user.present()) read_user(user, out);
  node.read("args", out.args);
  node.read("env", out.env);
  node.read("cwd", out.cwd);
  if (const Node sets = node.object("capabilities"); sets.present())
    read_capabilities(sets, out.capabilities.emplace());
  node.each("rlimits", [&](const Node& limit) { read_rlimit(limit, out.rlimits); });
  node.read("noNewPrivileges", out.no_new_privileges);
  node.read("apparmorProfile", out.apparmor_profile);
  node.read("selinuxLabel", out.selinux_label);
  node.read("oomScoreAdj", out.oom_score_adj);
  // An empty object says nothing: the same as an absent one, although a field is required.
  if (const Node scheduler = node.object("scheduler"); scheduler.has_members())
    read_scheduler(scheduler, out.scheduler.emplace());
  if (const Node io = node.object("ioPriority"); io.has_members())
    read_io_priority(io, out.io_priority.emplace());
  if (const Node affinity = node.object("execCPUAffinity"); affinity.has_members()) {
    configs::CpuAffinity& cpus = out.exec_cpu_affinity.emplace();
    read_number_list(affinity, "initial", cpus.initial);
    read_number_list(affinity, "final", cpus.after);
  }
}

}  // namespace hull::specconv
