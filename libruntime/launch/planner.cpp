#include "libruntime/launch/planner.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>

#include "libruntime/configs/names.h"
#include "libruntime/plan/hooks.h"
#include "libruntime/security/capabilities.h"
#include "libruntime/security/lsm.h"
#include "libruntime/security/seccomp.h"
#include "libruntime/state/oci_state.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/log.h"
#include "libruntime/system/syscalls.h"
#include "libruntime/system/text.h"

namespace hull::launch {
namespace {

using configs::NamespaceType;

unsigned listen_fds() {
  const char* text = std::getenv("LISTEN_FDS");
  return text == nullptr ? 0 : parse_number<unsigned>(text).value_or(0);
}

// Of several values for one name the last counts (config.md#process).
std::vector<std::string> without_duplicates(const std::vector<std::string>& env) {
  std::map<std::string_view, size_t> last;
  const auto name = [](std::string_view variable) {
    return variable.substr(0, variable.find('='));
  };
  for (size_t i = 0; i < env.size(); ++i) last[name(env[i])] = i;
  std::vector<std::string> out;
  out.reserve(env.size() + 4);
  for (size_t i = 0; i < env.size(); ++i)
    if (last[name(env[i])] == i) out.push_back(env[i]);
  return out;
}

// sd_listen_fds(3): the program is process 1 of its own PID namespace, or says which one it is by 1
// all the same.
void pass_listen_fds(std::vector<std::string>& env) {
  const unsigned count = listen_fds();
  if (count == 0) return;
  env.push_back("LISTEN_FDS=" + std::to_string(count));
  env.emplace_back("LISTEN_PID=1");
  if (const char* names = std::getenv("LISTEN_FDNAMES"))
    env.push_back(std::string("LISTEN_FDNAMES=") + names);
}

// crun's annotation: the caller's supplementary groups stay, mapped or not, so that files of a
// group that a user namespace can't have are in reach (podman run --group-add keep-groups).
bool keeps_groups(const configs::Config& config) {
  return std::ranges::find(config.labels, "run.oci.keep_original_groups=1") != config.labels.end();
}

plan::Process plan_process(const configs::Process& process, const configs::Config& config,
                           const LaunchOptions& options) {
  plan::Process out;
  out.args = process.args;
  out.env = without_duplicates(process.env);
  if (options.extra_fds.empty()) pass_listen_fds(out.env);
  out.cwd = process.cwd;
  out.uid = process.uid;
  out.gid = process.gid;
  out.groups = process.additional_gids;
  out.set_groups = !keeps_groups(config);
  // runc's default; the caller's own umask is no business of the container.
  out.umask = process.umask.value_or(0022);
  out.terminal = process.terminal;
  out.rows = process.console_rows;
  out.columns = process.console_columns;
  out.rlimits = process.rlimits;
  if (process.capabilities)
    out.capabilities =
        security::to_masks(*process.capabilities, config.find(NamespaceType::user) != nullptr);
  out.no_new_privileges = process.no_new_privileges;
  out.apparmor_profile = security::resolve_apparmor_profile(process.apparmor_profile);
  out.selinux_label =
      security::resolve_selinux_label(process.selinux_label, "/process/selinuxLabel");
  out.oom_score_adj = process.oom_score_adj;
  out.scheduler = process.scheduler;
  out.io_priority = process.io_priority;
  out.personality = config.personality;
  out.memory_policy = config.memory_policy;
  out.seccomp = security::program_for(config);
  out.preserve_fds = preserved_fds(options);
  return out;
}

// Which takes the host's CAP_SYS_RESOURCE: that of a user namespace does not count (getrlimit(2)).
bool raises_limits(const plan::Process& process) {
  return std::ranges::any_of(process.rlimits, [](const configs::Rlimit& wanted) {
    rlimit64 own{};
    return getrlimit64(static_cast<__rlimit_resource>(wanted.type), &own) == 0 &&
           wanted.hard > own.rlim_max;
  });
}

plan::Rootfs plan_rootfs(const configs::Config& config) {
  plan::Rootfs out;
  out.path = config.rootfs;
  out.readonly = config.readonly_rootfs;
  out.no_pivot = config.no_pivot_root;
  out.user_namespace = out.bind_devices = config.find(NamespaceType::user) != nullptr;
  out.propagation = config.root_propagation;
  out.mounts = config.mounts;
  out.devices = config.devices;
  // In there the owner, the namespace's root, has the number 0, whatever it has outside.
  if (out.user_namespace)
    for (configs::Device& device : out.devices) device.uid = device.gid = 0;
  out.gid_mappings = config.gid_mappings;
  out.mask_paths = config.mask_paths;
  out.readonly_paths = config.readonly_paths;
  out.mount_label = security::resolve_selinux_label(config.mount_label, "/linux/mountLabel");
  return out;
}

// sd_notify(3): the directory of the caller's proxy socket, where runc puts it.
void add_notify_socket(plan::Plan& plan, const std::string& socket) {
  if (socket.empty()) return;
  const size_t slash = socket.rfind('/');
  configs::Mount mount;
  mount.source = socket.substr(0, slash);
  mount.destination = "/run/notify";
  mount.type = "bind";
  mount.flags = MS_BIND | MS_NOSUID | MS_NOEXEC | MS_NODEV;
  mount.propagation = {MS_PRIVATE};
  plan.rootfs.mounts.push_back(std::move(mount));
  plan.process.env.push_back("NOTIFY_SOCKET=/run/notify/" + socket.substr(slash + 1));
}

void set_log_level(plan::Plan& plan) {
  plan.log_level = static_cast<int>(log::enabled(log::Level::debug)  ? log::Level::debug
                                    : log::enabled(log::Level::info) ? log::Level::info
                                                                     : log::Level::warning);
}

Fd open_namespace(const configs::Namespace& ns, const configs::NamespaceName& name,
                  const std::string& field) {
  try {
    Fd fd = open_or_throw(AT_FDCWD, ns.path, O_RDONLY);
    const int type = ioctl(fd.get(), NS_GET_NSTYPE);
    if (type < 0) throw Error(quote(ns.path) + " is no namespace", "NS_GET_NSTYPE", errno);
    if (static_cast<uint64_t>(type) != name.flag)
      throw Error(quote(ns.path) + " is not a " + std::string(name.spec) + " namespace");
    return fd;
  } catch (Error& e) {
    e.set_field(field);
    throw;
  }
}

// Whether the user namespace must be joined before the container's first process is made: others
// are made inside it, or a PID namespace can be joined only with the rights that it gives.
bool joined_first(const configs::Config& config) {
  const configs::Namespace* pid = config.find(NamespaceType::pid);
  return new_namespaces(config) != 0 || (pid != nullptr && geteuid() != 0);
}

}  // namespace

JoinedNamespaces open_namespaces(const configs::Config& config) {
  JoinedNamespaces out;
  for (size_t i = 0; i < config.namespaces.size(); ++i) {
    const configs::Namespace& ns = config.namespaces[i];
    if (ns.path.empty()) continue;
    Fd fd = open_namespace(ns, configs::name_of(ns.type),
                           "/linux/namespaces/" + std::to_string(i) + "/path");
    if (ns.type == NamespaceType::pid) {
      out.pid = std::move(fd);
      continue;
    }
    if (ns.type == NamespaceType::user && joined_first(config)) {
      out.user = std::move(fd);  // joined before the clone that makes the others
      continue;
    }
    out.types.push_back(ns.type);
    out.fds.push_back(std::move(fd));
  }
  return out;
}

uint64_t new_namespaces(const configs::Config& config) {
  uint64_t flags = 0;
  for (const configs::Namespace& ns : config.namespaces)
    if (ns.path.empty() && ns.type != NamespaceType::cgroup)
      flags |= configs::name_of(ns.type).flag;
  return flags;
}

plan::Plan plan_container(const configs::Config& config, const configs::Process* process,
                          const std::string& id, const LaunchOptions& options) {
  plan::Plan out;
  out.kind = plan::Kind::container;
  out.id = id;
  out.has_process = process != nullptr;
  if (process != nullptr) out.process = plan_process(*process, config, options);
  out.rootfs = plan_rootfs(config);
  out.rlimits_from_outside = out.rootfs.user_namespace && raises_limits(out.process);
  out.has_mount_namespace = config.find(NamespaceType::mount) != nullptr;
  out.new_namespaces = new_namespaces(config);
  const configs::Namespace* cgroup = config.find(NamespaceType::cgroup);
  out.unshare_cgroup = cgroup != nullptr && cgroup->path.empty();
  out.rootfs.cgroup.own_namespace = out.unshare_cgroup;
  const configs::Namespace* user = config.find(NamespaceType::user);
  out.joined_user_namespace = user != nullptr && !user->path.empty();
  out.hostname = config.hostname;
  out.domainname = config.domainname;
  out.sysctl = config.sysctl;
  if (!config.no_new_keyring) out.session_keyring = "_ses." + id;
  out.loopback_up = (out.new_namespaces & CLONE_NEWNET) != 0;
  out.parent_death_signal = config.parent_death_signal;
  out.runtime_hooks = !config.hooks.prestart.empty() || !config.hooks.create_runtime.empty();
  out.create_container_hooks = config.hooks.create_container;
  out.start_container_hooks = config.hooks.start_container;
  if (!out.create_container_hooks.empty())
    out.creating_state = state::spec_state(config, id, "creating", plan::kPidMark);
  if (!out.start_container_hooks.empty())
    out.created_state = state::spec_state(config, id, "created", plan::kPidMark);
  add_notify_socket(out, options.notify_socket);
  set_log_level(out);
  return out;
}

plan::Plan plan_exec(const configs::Config& config, const configs::Process& process,
                     const std::string& id, const LaunchOptions& options) {
  plan::Plan out;
  out.kind = plan::Kind::exec;
  out.id = id;
  out.process = plan_process(process, config, options);
  for (const configs::Namespace& ns : config.namespaces)
    out.join_by_pidfd |= configs::name_of(ns.type).flag;
  out.enter_pid_namespace = (out.join_by_pidfd & CLONE_NEWPID) != 0;
  out.joined_user_namespace = config.find(NamespaceType::user) != nullptr;
  out.has_mount_namespace = config.find(NamespaceType::mount) != nullptr;
  out.rootfs.user_namespace = out.joined_user_namespace;
  out.rlimits_from_outside = out.joined_user_namespace && raises_limits(out.process);
  if (!config.no_new_keyring) out.session_keyring = "_ses." + id;
  out.start_now = true;
  set_log_level(out);
  return out;
}

unsigned preserved_fds(const LaunchOptions& options) {
  if (!options.extra_fds.empty()) return static_cast<unsigned>(options.extra_fds.size());
  const unsigned count = options.preserve_fds + listen_fds();
  for (unsigned i = 3; i < 3 + count; ++i)
    if (fcntl(static_cast<int>(i), F_GETFD) < 0)
      throw Error("unable to stat preserved-fd " + std::to_string(i - 3) + " (of " +
                      std::to_string(count) + ")",
                  "fcntl", errno);
  return count;
}

uint32_t host_id(const std::vector<configs::IdMap>& maps, uint32_t container_id) {
  if (maps.empty()) return container_id;
  for (const configs::IdMap& map : maps)
    if (container_id >= map.container_id && container_id - map.container_id < map.size)
      return map.host_id + (container_id - map.container_id);
  throw Error("ID " + std::to_string(container_id) +
              " of the container is not mapped to one of the host")
      .field("/linux/uidMappings");
}

}  // namespace hull::launch
