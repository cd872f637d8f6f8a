#include "libruntime/configs/config_json.h"
#include "libruntime/configs/config_json_parts.h"
#include "libruntime/configs/config_keys.h"
#include "libruntime/configs/json_reader.h"
#include "libruntime/configs/names.h"
#include "libruntime/system/error.h"

namespace hull::configs {
namespace {

using namespace reading;

// Device types are characters, written as their numbers.
char get_type(const Json& object, std::string_view allowed, char fallback) {
  int number = 0;
  if (!get(object, "type", number)) return fallback;
  const char type = number == 'u'                ? 'c'
                    : number > 0 && number < 128 ? static_cast<char>(number)
                                                 : '?';
  if (allowed.find(type) == std::string_view::npos) refuse("type", "of a device is unknown");
  return type;
}

void read_id_map(const Json& in, IdMap& out) {
  get(in, "container_id", out.container_id);
  get(in, "host_id", out.host_id);
  get(in, "size", out.size);
}

void read_mount(const Json& in, Mount& out) {
  get(in, "source", out.source);
  get(in, "destination", out.destination);
  get(in, "device", out.type);
  get(in, "flags", out.flags);
  get(in, "cleared_flags", out.clear_flags);
  get_list(in, "propagation_flags", out.propagation);
  get(in, "data", out.data);
  if (const Json* attributes = find(in, "rec_attr"); attributes != nullptr) {
    get(*attributes, "Attr_set", out.recursive_set);
    get(*attributes, "Attr_clr", out.recursive_clear);
  }
  int extensions = 0;
  get(in, "extensions", extensions);
  for (const MountExtension& one : kMountExtensions) out.*one.member = (extensions & one.bit) != 0;
  // runc 1.2 and later; release candidates before had the lists in the mount itself.
  const Json* mapping = find(in, "id_mapping");
  const Json& holder = mapping != nullptr ? *mapping : in;
  get_list(holder, "uid_mappings", out.uid_mappings, read_id_map);
  get_list(holder, "gid_mappings", out.gid_mappings, read_id_map);
  if (mapping != nullptr) get(*mapping, "recursive", out.idmap_recursive);
}

void read_device(const Json& in, Device& out) {
  out.type = get_type(in, "cbp", 'c');
  get(in, "major", out.major);
  get(in, "minor", out.minor);
  get(in, "path", out.path);
  get(in, "file_mode", out.file_mode);
  get(in, "uid", out.uid);
  get(in, "gid", out.gid);
}

void read_namespace(const Json& in, Namespace& out) {
  std::string type;
  get(in, "type", type);
  get(in, "path", out.path);
  for (const NamespaceName& name : kNamespaces) {
    if (name.state != type) continue;
    out.type = name.type;
    return;
  }
  refuse("namespaces", "has an unknown type " + quote(type));
}

void read_capabilities(const Json& in, Capabilities& out) {
  get_list(in, "Bounding", out.bounding);
  get_list(in, "Effective", out.effective);
  get_list(in, "Inheritable", out.inheritable);
  get_list(in, "Permitted", out.permitted);
  get_list(in, "Ambient", out.ambient);
}

void read_rule(const Json& in, DeviceRule& out) {
  out.type = get_type(in, "abc", 'a');
  get(in, "major", out.major);
  get(in, "minor", out.minor);
  get(in, "permissions", out.permissions);
  get(in, "allow", out.allow);
}

void read_throttle(const Json& in, ThrottleDevice& out) {
  get(in, "major", out.major);
  get(in, "minor", out.minor);
  get(in, "rate", out.rate);
}

void read_block_io(const Json& in, Resources& out) {
  get(in, "blkio_weight", out.blkio_weight);
  get(in, "blkio_leaf_weight", out.blkio_leaf_weight);
  get_list(in, "blkio_weight_device", out.blkio_weight_device,
           [](const Json& one, WeightDevice& device) {
             get(one, "major", device.major);
             get(one, "minor", device.minor);
             get(one, "weight", device.weight);
             get(one, "leafWeight", device.leaf_weight);
           });
  get_list(in, "blkio_throttle_read_bps_device", out.throttle_read_bps, read_throttle);
  get_list(in, "blkio_throttle_write_bps_device", out.throttle_write_bps, read_throttle);
  get_list(in, "blkio_throttle_read_iops_device", out.throttle_read_iops, read_throttle);
  get_list(in, "blkio_throttle_write_iops_device", out.throttle_write_iops, read_throttle);
}

void read_pids(const Json& in, Resources& out) {
  get(in, "pids_limit", out.pids_limit);
  // runc before 1.3 writes every member, and 0 for "not set"; "freezer" tells such a file.
  // Elsewhere 0 is a limit.
  if (out.pids_limit == 0 && in.HasMember("freezer")) out.pids_limit.reset();
}

void read_resources(const Json& in, Resources& out) {
  get_list(in, "devices", out.devices, read_rule);
  get(in, "memory", out.memory);
  get(in, "memory_reservation", out.memory_reservation);
  get(in, "memory_swap", out.memory_swap);
  get(in, "memory_swappiness", out.memory_swappiness);
  get(in, "oom_kill_disable", out.oom_kill_disable);
  get(in, "memory_check_before_update", out.memory_check_before_update);
  get(in, "cpu_shares", out.cpu_shares);
  get(in, "cpu_quota", out.cpu_quota);
  get(in, "cpu_burst", out.cpu_burst);
  get(in, "cpu_period", out.cpu_period);
  get(in, "cpu_rt_quota", out.cpu_rt_runtime);
  get(in, "cpu_rt_period", out.cpu_rt_period);
  get(in, "cpu_weight", out.cpu_weight);
  get(in, "cpu_idle", out.cpu_idle);
  get(in, "cpuset_cpus", out.cpuset_cpus);
  get(in, "cpuset_mems", out.cpuset_mems);
  read_pids(in, out);
  read_block_io(in, out);
  get_list(in, "hugetlb_limit", out.hugetlb, [](const Json& one, HugepageLimit& limit) {
    get(one, "page_size", limit.page_size);
    get(one, "limit", limit.limit);
  });
  get_list(in, "net_prio_ifpriomap", out.net_prio,
           [](const Json& one, InterfacePriority& priority) {
             get(one, "interface", priority.interface);
             get(one, "priority", priority.priority);
           });
  get(in, "net_cls_classid_u", out.net_cls_classid);
  get_map(in, "rdma", out.rdma, [](const Json& one, RdmaLimit& limit) {
    get(one, "hca_handles", limit.hca_handles);
    get(one, "hca_objects", limit.hca_objects);
  });
  get_map(in, "unified", out.unified);
}

void read_cgroup(const Json& in, Cgroup& out) {
  get(in, "name", out.name);
  get(in, "parent", out.parent);
  get(in, "path", out.path);
  get(in, "scope_prefix", out.scope_prefix);
  get(in, "Systemd", out.systemd);
  get(in, "Rootless", out.rootless);
  get(in, "OwnerUID", out.owner_uid);
  read_resources(in, out.resources);
}

void read_rlimit(const Json& in, Rlimit& out) {
  get(in, "type", out.type);
  get(in, "hard", out.hard);
  get(in, "soft", out.soft);
}

void read_call(const Json& in, SeccompCall& out) {
  get(in, "name", out.name);
  get_number_name(in, "action", kSeccompActionNumbers, out.action);
  get(in, "errnoRet", out.errno_ret);
  get_list(in, "args", out.args, [](const Json& one, SeccompArg& arg) {
    get(one, "index", arg.index);
    get(one, "value", arg.value);
    get(one, "value_two", arg.value_two);
    get_number_name(one, "op", kSeccompOperatorNumbers, arg.op);
  });
}

void read_seccomp(const Json& in, Seccomp& out) {
  get_number_name(in, "default_action", kSeccompActionNumbers, out.default_action);
  get(in, "default_errno_ret", out.default_errno_ret);
  get_list(in, "architectures", out.architectures);
  // Absent (runc 1.1 has no such member): the default. Null: none were asked for.
  out.flags_given = in.HasMember("flags");
  get_list(in, "flags", out.flags);
  get(in, "listener_path", out.listener_path);
  get(in, "listener_metadata", out.listener_metadata);
  get_list(in, "syscalls", out.calls, read_call);
}

void read_hook(const Json& in, Hook& out) {
  get(in, "path", out.path);
  get_list(in, "args", out.args);
  get_list(in, "env", out.env);
  get(in, "dir", out.dir);
  get(in, "timeout", out.timeout_ns);
}

void read_hooks(const Json& in, Hooks& out) {
  get_list(in, "prestart", out.prestart, read_hook);
  get_list(in, "createRuntime", out.create_runtime, read_hook);
  get_list(in, "createContainer", out.create_container, read_hook);
  get_list(in, "startContainer", out.start_container, read_hook);
  get_list(in, "poststart", out.poststart, read_hook);
  get_list(in, "poststop", out.poststop, read_hook);
}

}  // namespace

void config_from_json(const Json& in, Config& out) {
  get(in, "version", out.version);
  get(in, "rootfs", out.rootfs);
  get(in, "no_pivot_root", out.no_pivot_root);
  get(in, "readonlyfs", out.readonly_rootfs);
  get(in, "umask", out.umask);
  get(in, "rootPropagation", out.root_propagation);
  get(in, "parent_death_signal", out.parent_death_signal);
  get_list(in, "mounts", out.mounts, read_mount);
  get_list(in, "devices", out.devices, read_device);
  get(in, "mount_label", out.mount_label);
  get(in, "hostname", out.hostname);
  get(in, "domainname", out.domainname);
  get_list(in, "namespaces", out.namespaces, read_namespace);
  if (const Json* sets = find(in, "capabilities"); sets != nullptr)
    read_capabilities(*sets, out.capabilities.emplace());
  read_networks(in, out);
  if (const Json* cgroup = find(in, "cgroups"); cgroup != nullptr) read_cgroup(*cgroup, out.cgroup);
  get(in, "apparmor_profile", out.apparmor_profile);
  get(in, "process_label", out.process_label);
  get_list(in, "rlimits", out.rlimits, read_rlimit);
  get(in, "oom_score_adj", out.oom_score_adj);
  get_list(in, "uid_mappings", out.uid_mappings, read_id_map);
  get_list(in, "gid_mappings", out.gid_mappings, read_id_map);
  get_list(in, "mask_paths", out.mask_paths);
  get_list(in, "readonly_paths", out.readonly_paths);
  get_map(in, "sysctl", out.sysctl);
  if (const Json* profile = find(in, "seccomp"); profile != nullptr)
    read_seccomp(*profile, out.seccomp.emplace());
  get(in, "no_new_privileges", out.no_new_privileges);
  if (const Json* hooks = find(in, "Hooks"); hooks != nullptr) read_hooks(*hooks, out.hooks);
  get_list(in, "labels", out.labels);
  get(in, "no_new_keyring", out.no_new_keyring);
  get(in, "rootless_euid", out.rootless_euid);
  get(in, "rootless_cgroups", out.rootless_cgroups);
  read_rare_parts(in, out);
}

Config config_from_text(std::string_view text) {
  Config out;
  const JsonText json{std::string(text)};
  config_from_json(json.root(), out);
  return out;
}

}  // namespace hull::configs
