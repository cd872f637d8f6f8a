#include "specconv/host_findings.h"

#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "libruntime/cgroups/layout.h"
#include "libruntime/cgroups/limit_groups.h"
#include "libruntime/cgroups/manager.h"
#include "libruntime/configs/names.h"
#include "libruntime/configs/sysctl.h"
#include "libruntime/security/lsm.h"
#include "libruntime/security/seccomp.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"
#include "specconv/host_checks.h"
#include "specconv/validate_parts.h"

namespace hull::specconv {
namespace {

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// A namespace to join is there and of its type; one to make is in this kernel.
void look_at_namespace(const configs::Namespace& ns, const std::string& pointer,
                       Findings& findings) {
  const configs::NamespaceName& name = configs::name_of(ns.type);
  if (ns.path.empty()) {
    if (!exists("/proc/self/ns/" + std::string(name.file)))
      findings.error(pointer, "this kernel has no " + std::string(name.spec) + " namespaces");
    return;
  }
  findings.attempt(pointer + "/path", [&] {
    const Fd fd = open_or_throw(AT_FDCWD, ns.path, O_RDONLY);
    const int type = ioctl(fd.get(), NS_GET_NSTYPE);
    if (type < 0 || static_cast<uint64_t>(type) != name.flag)
      throw Error(quote(ns.path) + " is not a " + std::string(name.spec) + " namespace");
  });
}

void look_at_user_namespaces(const Linux& in, Findings& findings) {
  const configs::Namespace* user = in.find(configs::NamespaceType::user);
  const auto limit = read_value_if_exists("/proc/sys/user/max_user_namespaces");
  if (user != nullptr && user->path.empty() && limit && trim(*limit) == "0")
    findings.error("/linux/namespaces",
                   "this host allows no user namespaces: "
                   "/proc/sys/user/max_user_namespaces is 0");
}

void look_at_sysctl(const Linux& in, Findings& findings) {
  for (const auto& [key, value] : in.sysctl) {
    const auto path = configs::sysctl_path(key);
    // Those of the network exist once in each network namespace, ours may have fewer interfaces.
    if (path && !path->starts_with("net/") && !exists("/proc/sys/" + *path))
      findings.error(pointer_to("/linux/sysctl", key), "this kernel has no /proc/sys/" + *path);
  }
}

void look_at_seccomp(const Linux& in, const std::optional<configs::Seccomp>& profile,
                     Findings& findings) {
  if (!in.seccomp || !profile) return;
  Problems unknown;
  check_syscall_names(*in.seccomp, unknown);
  for (const Problem& one : unknown.all())
    findings.warning(one.pointer, one.text + ": the rule does without it");
  findings.attempt("/linux/seccomp", [&] { security::compile(*profile); });
  struct stat info {};
  const std::string& listener = in.seccomp->listener_path;
  if (!listener.empty() && (stat(listener.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)))
    findings.error("/linux/seccomp/listenerPath", "no socket is there: start the agent first");
}

// The controllers of cgroup v2 that a cgroup can have on this host.
std::vector<std::string> v2_controllers(const cgroups::Layout& layout) {
  const cgroups::Hierarchy* unified = cgroups::find_hierarchy(layout, "");
  if (unified == nullptr) return {};
  const auto text = read_value_if_exists(unified->mount_point + "/cgroup.controllers");
  std::vector<std::string> out;
  if (text)
    for (const std::string_view name : split(trim(*text), ' ')) out.emplace_back(name);
  return out;
}

void look_at_v2_controllers(const cgroups::Layout& layout, const configs::Resources& resources,
                            Findings& findings) {
  const std::vector<std::string> here = v2_controllers(layout);
  for (const cgroups::NeededController& needed : cgroups::needed_v2_controllers(resources))
    if (std::find(here.begin(), here.end(), needed.name) == here.end())
      findings.error(needed.field, "this host has no cgroup controller " + quote(needed.name));
}

void look_at_v1_controllers(const cgroups::Layout& layout, const configs::Resources& resources,
                            Findings& findings) {
  for (const cgroups::LimitGroup* group : cgroups::asked_groups(resources))
    if (cgroups::find_hierarchy(layout, group->v1) == nullptr)
      findings.error(std::string(group->field),
                     "this host has no cgroup controller " + quote(group->v1));
  if (!resources.unified.empty())
    findings.error("/linux/resources/unified", "this host has cgroup v1");
}

}  // namespace

void look_at_kernel(const Linux& in, Findings& findings) {
  for (size_t i = 0; i < in.namespaces.size(); ++i)
    look_at_namespace(in.namespaces[i], pointer_to("/linux/namespaces", i), findings);
  look_at_user_namespaces(in, findings);
  look_at_sysctl(in, findings);
  findings.attempt("/linux/mountLabel",
                   [&] { security::resolve_selinux_label(in.mount_label, "/linux/mountLabel"); });
  for (const auto& device : in.net_devices)
    if (!exists("/sys/class/net/" + device.first))
      findings.error(pointer_to("/linux/netDevices", device.first),
                     "this host has no such network device");
  if (in.intel_rdt && !exists("/sys/fs/resctrl/schemata"))
    findings.error("/linux/intelRdt", "resctrl is not mounted on this host");
}

void look_at_cgroups(const configs::Config& config, Findings& findings) {
  const cgroups::Layout layout = cgroups::read_layout();
  const configs::Resources& resources = config.cgroup.resources;
  if (layout.mode == cgroups::Mode::v2)
    look_at_v2_controllers(layout, resources, findings);
  else
    look_at_v1_controllers(layout, resources, findings);
  if (config.cgroup.systemd) return;
  findings.attempt("/linux/cgroupsPath", [&] {
    const auto cgroup = cgroups::make_manager(config.cgroup, layout);
    if (const size_t count = cgroup->processes().size(); count > 0)
      throw Error("container's cgroup is not empty: " + std::to_string(count) +
                  " process(es) found");
  });
}

void look_at_host(const Spec& spec, const Options& options, Findings& findings) {
  if (!findings.has("/root"))
    findings.attempt("/root/path", [&] { check_host(spec, options.bundle); });
  look_at_kernel(spec.linux_part, findings);
  findings.attempt("", [&] {
    const configs::Config config = convert(spec, options);
    look_at_process(spec, config.rootfs, findings);
    look_at_mounts(config, findings);
    look_at_hooks(spec.hooks, config.rootfs, findings);
    look_at_cgroups(config, findings);
    look_at_seccomp(spec.linux_part, config.seccomp, findings);
  });
}

}  // namespace hull::specconv
