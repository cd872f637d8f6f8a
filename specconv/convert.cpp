#include "specconv/convert.h"

#include <algorithm>

#include "libruntime/configs/sysctl.h"
#include "libruntime/system/error.h"
#include "libruntime/system/log.h"
#include "libruntime/system/text.h"
#include "specconv/convert_parts.h"
#include "specconv/host_checks.h"
#include "specconv/joined_maps.h"
#include "specconv/mount_id_mapping.h"
#include "specconv/mount_options.h"
#include "specconv/unit_annotations.h"

namespace hull::specconv {
namespace {

constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

// "/" is the base of relative paths of the container, the bundle of those of the host.
std::string absolute_path(const std::string& path, const std::string& base) {
  return path.starts_with('/') ? path : clean_path(base + "/" + path);
}

// Whether the ID is one of the container's.
bool is_mapped(uint32_t id, const std::vector<configs::IdMap>& maps) {
  return std::ranges::any_of(maps, [&](const configs::IdMap& map) {
    return id >= map.container_id && id - map.container_id < map.size;
  });
}

// What a user without privileges can't have; the kernel's own word for it is "invalid argument".
void check_rootless(const configs::Mount& mount, const Linux& container) {
  if (mount.idmapped()) throw Error("id-mapped mounts are not supported for rootless containers");
  for (const std::string_view option : split(mount.data, ',')) {
    const bool user = option.starts_with("uid=");
    if (!user && !option.starts_with("gid=")) continue;
    const auto id = parse_number<uint32_t>(option.substr(4));
    if (id && !is_mapped(*id, user ? container.uid_mappings : container.gid_mappings)) {
      throw Error("cannot specify " + std::string(option) +
                  " mount option for rootless container: the ID is not mapped");
    }
  }
}

configs::Mount convert_mount(const Mount& in, const Linux& container, const Options& options) {
  configs::Mount out;
  if (!in.destination.starts_with('/')) {
    log::warning("mount destination " + quote(in.destination) +
                 " is not absolute: it is taken from the container's root");
  }
  out.destination = absolute_path(in.destination, "/");
  out.source = in.source;
  out.type = in.type;
  apply_options(in.options, out);
  if (is_bind(in)) {
    out.type = "bind";
    out.flags |= MS_BIND;
    out.source = absolute_path(in.source, options.bundle);
  }
  convert_id_mapping(in, container, out);
  if (options.rootless_euid) check_rootless(out, container);
  return out;
}

void convert_mounts(const Spec& spec, const Options& options, std::vector<configs::Mount>& out) {
  for (size_t i = 0; i < spec.mounts.size(); ++i) {
    try {
      out.push_back(convert_mount(spec.mounts[i], spec.linux_part, options));
    } catch (Error& e) {
      e.set_field(pointer_to("/mounts", i));
      throw;
    }
  }
}

std::vector<configs::Hook> convert_hooks(const std::vector<Hook>& in, const std::string& dir) {
  std::vector<configs::Hook> out;
  out.reserve(in.size());
  for (const Hook& hook : in) {
    configs::Hook& one = out.emplace_back();
    one.path = hook.path;
    one.args = hook.args;
    one.env = hook.env;
    one.dir = dir;
    if (hook.timeout) one.timeout_ns = *hook.timeout * kNanosecondsPerSecond;
  }
  return out;
}

// Hooks of the runtime's namespaces run in the bundle; the others see another tree.
void convert_hooks(const Spec& spec, const Options& options, configs::Hooks& out) {
  out.prestart = convert_hooks(spec.hooks.prestart, options.bundle);
  out.create_runtime = convert_hooks(spec.hooks.create_runtime, options.bundle);
  out.create_container = convert_hooks(spec.hooks.create_container, "");
  out.start_container = convert_hooks(spec.hooks.start_container, "");
  out.poststart = convert_hooks(spec.hooks.poststart, options.bundle);
  out.poststop = convert_hooks(spec.hooks.poststop, options.bundle);
}

// runc's CleanPath: a relative path stays relative, but ".." never leads out of it.
std::string clean_cgroup_path(const std::string& path) {
  return path.starts_with('/') ? clean_path(path) : clean_path("/" + path).substr(1);
}

void convert_cgroup_path(const std::string& path, const Options& options, configs::Cgroup& out) {
  out.disabled = options.no_cgroups;
  out.systemd = options.systemd_cgroup;
  out.rootless = options.rootless_cgroups;
  if (path.empty()) {
    out.name = options.id;
    if (options.systemd_cgroup) out.scope_prefix = "hull";
    return;
  }
  if (!options.systemd_cgroup) {
    out.path = clean_cgroup_path(path);
    // To limit, freeze and delete the root or the caller's own cgroup can't be meant.
    if (out.path.empty() || out.path == "/")
      throw Error("cgroupsPath " + quote(path) + " names no cgroup").field("/linux/cgroupsPath");
    return;
  }
  const std::vector<std::string_view> parts = split(path, ':');
  if (parts.size() != 3 || parts[2].empty()) {
    throw Error(
        "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got " +
        quote(path) + " instead")
        .field("/linux/cgroupsPath");
  }
  out.parent = parts[0];
  out.scope_prefix = parts[1];
  out.name = parts[2];
}

// What annotations say about the unit that systemd makes.
void convert_unit(const std::map<std::string, std::string>& annotations, configs::Cgroup& out) {
  if (!out.systemd) return;
  out.unit_properties = unit_properties(annotations);
  constexpr char kSubGroup[] = "run.oci.systemd.subgroup";
  if (const auto sub = annotations.find(kSubGroup); sub != annotations.end())
    out.sub_group = clean_cgroup_path(sub->second);
}

// config-linux.md#cgroup-ownership: the cgroup is its user's when the container has it in a new
// cgroup namespace, mounted read-write.
std::optional<uint32_t> cgroup_owner(const Spec& spec, const configs::Config& config) {
  const configs::Namespace* cgroup = config.find(configs::NamespaceType::cgroup);
  if (cgroup == nullptr || !cgroup->path.empty()) return std::nullopt;
  const auto writable = [](const configs::Mount& mount) {
    return mount.type == "cgroup" && clean_path(mount.destination) == "/sys/fs/cgroup" &&
           (mount.flags & MS_RDONLY) == 0;
  };
  if (std::ranges::none_of(config.mounts, writable)) return std::nullopt;
  const uint32_t uid = spec.process ? spec.process->uid : 0;
  if (config.find(configs::NamespaceType::user) == nullptr)
    return uid == 0 ? std::nullopt : std::optional(uid);
  for (const configs::IdMap& map : config.uid_mappings)
    if (is_mapped(uid, {map})) return map.host_id + (uid - map.container_id);
  return std::nullopt;
}

void convert_process(const Process& in, configs::Config& out) {
  out.umask = in.umask;
  out.capabilities = in.capabilities;
  out.rlimits = in.rlimits;
  out.no_new_privileges = in.no_new_privileges;
  out.apparmor_profile = in.apparmor_profile;
  out.process_label = in.selinux_label;
  out.oom_score_adj = in.oom_score_adj;
  out.scheduler = in.scheduler;
  out.io_priority = in.io_priority;
  out.exec_cpu_affinity = in.exec_cpu_affinity;
}

void convert_propagation(const Linux& in, const Options& options, configs::Config& out) {
  out.root_propagation = in.rootfs_propagation.value_or(0);
  if (options.no_pivot && (out.root_propagation & MS_PRIVATE) != 0) {
    throw Error("rootfsPropagation of [r]private is not safe without pivot_root")
        .field("/linux/rootfsPropagation");
  }
}

// A key with a slash becomes the path that it stands for, so that nobody need ask which of the two
// spellings it has; plain dotted keys stay as they are in runc's state.json.
void convert_sysctl(const std::map<std::string, std::string>& in,
                    std::map<std::string, std::string>& out) {
  for (const auto& [key, value] : in) {
    const bool has_slash = key.find('/') != std::string::npos;
    out[has_slash ? configs::sysctl_path(key).value_or(key) : key] = value;
  }
}

// config-linux.md#personality defines no flags; runc says so and goes on.
int convert_personality(const Personality& in) {
  if (!in.flags.empty())
    log::warning("ignoring the flags of linux.personality: no flag is defined");
  return in.domain;
}

void convert_linux(const Linux& in, const Options& options, configs::Config& out) {
  out.namespaces = in.namespaces;
  out.uid_mappings = in.uid_mappings;
  out.gid_mappings = in.gid_mappings;
  if (options.rootless_euid && in.find(configs::NamespaceType::user) == nullptr) {
    throw Error("rootless container requires user namespaces")
        .field("/linux/namespaces")
        .hint("`hull spec --rootless` writes a configuration that has one");
  }
  if (options.rootless_euid && !in.net_devices.empty())
    throw Error("network devices can't be moved without root").field("/linux/netDevices");
  convert_propagation(in, options, out);
  convert_cgroup_path(in.cgroups_path, options, out.cgroup);
  if (in.resources) out.cgroup.resources = to_limits(*in.resources);
  // A new cgroup's OOM killer is on.
  if (out.cgroup.resources.oom_kill_disable == false) out.cgroup.resources.oom_kill_disable.reset();
  convert_devices(in, out);
  out.mount_label = in.mount_label;
  convert_sysctl(in.sysctl, out.sysctl);
  out.mask_paths = in.masked_paths;
  out.readonly_paths = in.readonly_paths;
  if (in.seccomp) out.seccomp = convert_seccomp(*in.seccomp);
  for (const auto& [name, device] : in.net_devices) out.net_devices[name] = device.name;
  out.intel_rdt = in.intel_rdt;
  out.time_offsets = in.time_offsets;
  out.memory_policy = in.memory_policy;
  if (in.personality) out.personality = convert_personality(*in.personality);
}

}  // namespace

configs::Config convert(const Spec& spec, const Options& options) {
  configs::Config out;
  out.version = spec.oci_version;
  out.rootfs = clean_path(absolute_path(spec.root.path, options.bundle));
  out.readonly_rootfs = spec.root.readonly;
  out.no_pivot_root = options.no_pivot;
  out.no_new_keyring = options.no_new_keyring;
  out.rootless_euid = options.rootless_euid;
  out.rootless_cgroups = options.rootless_cgroups;
  out.hostname = spec.hostname;
  out.domainname = spec.domainname;
  // First, so that an annotation with the key "bundle" can't hide it.
  out.labels.push_back("bundle=" + options.bundle);
  for (const auto& [key, value] : spec.annotations) out.labels.push_back(key + "=" + value);
  convert_mounts(spec, options, out.mounts);
  if (spec.process) convert_process(*spec.process, out);
  convert_hooks(spec, options, out.hooks);
  convert_linux(spec.linux_part, options, out);
  convert_unit(spec.annotations, out.cgroup);
  out.cgroup.owner_uid = cgroup_owner(spec, out);
  convert_networks(spec, out);
  return out;
}

configs::Config to_config(const Spec& spec, const Options& options) {
  check_host(spec, options.bundle);
  const configs::Namespace* user = spec.linux_part.find(configs::NamespaceType::user);
  if (user == nullptr || user->path.empty()) return convert(spec, options);
  Spec joined = spec;
  read_joined_maps(joined.linux_part);
  return convert(joined, options);
}

}  // namespace hull::specconv
