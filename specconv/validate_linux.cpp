#include <linux/mempolicy.h>
#include <net/if.h>

#include <algorithm>
#include <set>

#include "libruntime/configs/sysctl.h"
#include "libruntime/system/error.h"
#include "libruntime/system/text.h"
#include "specconv/names.h"
#include "specconv/validate_parts.h"

// config-linux.md without resources and seccomp
namespace hull::specconv {
namespace {

using configs::NamespaceType;

constexpr uint32_t kNanosecondsPerSecond = 1'000'000'000;
constexpr size_t kMaxIdMaps = 340;  // user_namespaces(7)
// dev_t of the kernel: 12 bits and 20 bits; larger numbers would be cut off.
constexpr int64_t kMaxMajor = (1 << 12) - 1;
constexpr int64_t kMaxMinor = (1 << 20) - 1;

void check_namespaces(const Linux& in, Problems& problems) {
  for (size_t i = 0; i < in.namespaces.size(); ++i) {
    const std::string& path = in.namespaces[i].path;
    if (!path.empty() && !path.starts_with('/')) {
      problems.add(pointer_to("/linux/namespaces", i, "path"),
                   "must be an absolute path, not " + quote(path));
    }
  }
}

void check_user_namespace(const Linux& in, Problems& problems) {
  check_id_maps(in.uid_mappings, "/linux/uidMappings", problems);
  check_id_maps(in.gid_mappings, "/linux/gidMappings", problems);
  const configs::Namespace* user = in.find(NamespaceType::user);
  const auto check = [&](const char* pointer, bool given) {
    if (given && user == nullptr)
      problems.add(
          pointer,
          "User namespace mappings specified, but USER namespace isn't enabled in the config");
    if (!given && user != nullptr && user->path.empty())
      problems.add(pointer, "User namespaces enabled, but no mappings found");
  };
  check("/linux/uidMappings", !in.uid_mappings.empty());
  check("/linux/gidMappings", !in.gid_mappings.empty());
}

// Without a mount namespace these would change the host's own mounts.
void check_mount_namespace(const Spec& spec, Problems& problems) {
  const Linux& in = spec.linux_part;
  if (in.find(NamespaceType::mount) != nullptr) return;
  const auto refuse = [&](bool given, const char* pointer) {
    if (given) problems.add(pointer, "needs a mount namespace of the container's own");
  };
  refuse(!spec.mounts.empty(), "/mounts");
  refuse(spec.root.readonly, "/root/readonly");
  refuse(in.rootfs_propagation.has_value(), "/linux/rootfsPropagation");
  refuse(!in.masked_paths.empty(), "/linux/maskedPaths");
  refuse(!in.readonly_paths.empty(), "/linux/readonlyPaths");
}

void check_paths(const std::vector<std::string>& paths, const char* base, Problems& problems) {
  for (size_t i = 0; i < paths.size(); ++i) {
    if (!paths[i].starts_with('/')) {
      problems.add(pointer_to(base, i), "must be an absolute path, not " + quote(paths[i]));
    }
  }
}

void check_device(const Device& device, const std::string& base, Problems& problems) {
  if (!device.path.starts_with('/') || clean_path(device.path) == "/")
    problems.add(base + "/path", "must be an absolute path, not " + quote(device.path));
  if (device.type == 'p') return;
  const auto check = [&](const char* key, const std::optional<int64_t>& number, int64_t max) {
    if (!number) {
      problems.add(base + key, "is required");
    } else if (*number < 0 || *number > max) {
      problems.add(base + key, "must be from 0 to " + std::to_string(max));
    }
  };
  check("/major", device.major, kMaxMajor);
  check("/minor", device.minor, kMaxMinor);
}

void check_sysctl(const Spec& spec, Problems& problems) {
  for (const auto& parameter : spec.linux_part.sysctl) {
    const std::string& key = parameter.first;
    const auto refuse = [&](const std::string& why) {
      problems.add(pointer_to("/linux/sysctl", key), "sysctl " + quote(key) + " " + why);
    };
    const std::optional<std::string> path = configs::sysctl_path(key);
    if (!path) {
      refuse("is not a name");
      continue;
    }
    if (*path == "kernel/hostname") {
      refuse("is not allowed as it conflicts with the OCI \"hostname\" field");
      continue;
    }
    const std::optional<NamespaceType> type = configs::sysctl_namespace(*path);
    if (!type) {
      refuse("is not in a separate kernel namespace");
    } else if (spec.linux_part.find(*type) == nullptr) {
      refuse("is not allowed in the host " + std::string(configs::name_of(*type).spec) +
             " namespace");
    } else if (*path == "kernel/domainname" && !spec.domainname.empty()) {
      refuse("is not allowed as it conflicts with the OCI \"domainname\" field");
    }
  }
}

// crun's annotation.
bool unknown_syscalls_fail(const Spec& spec) {
  const auto wanted = spec.annotations.find("run.oci.seccomp_fail_unknown_syscall");
  return wanted != spec.annotations.end() && wanted->second != "0";
}

void check_time_offsets(const Linux& in, Problems& problems) {
  if (in.time_offsets.empty()) return;
  const configs::Namespace* time = in.find(NamespaceType::time);
  // The offsets of one that has processes are fixed (time_namespaces(7)).
  if (time == nullptr || !time->path.empty())
    problems.add("/linux/timeOffsets", "needs a new time namespace");
  for (const auto& [clock, offset] : in.time_offsets) {
    if (offset.nanoseconds >= kNanosecondsPerSecond)
      problems.add(pointer_to("/linux/timeOffsets", clock, "nanosecs"), "must be below 1000000000");
  }
}

// set_mempolicy(2)
void check_memory_policy(const configs::MemoryPolicy& in, Problems& problems) {
  const bool needs_none = in.mode == MPOL_DEFAULT || in.mode == MPOL_LOCAL;
  if (needs_none && !in.nodes.empty())
    problems.add("/linux/memoryPolicy/nodes", "must be empty with this mode");
  if (!needs_none && in.mode != MPOL_PREFERRED && in.nodes.empty())
    problems.add("/linux/memoryPolicy/nodes", "needs at least one node with this mode");
  if ((in.flags & MPOL_F_STATIC_NODES) != 0 && (in.flags & MPOL_F_RELATIVE_NODES) != 0)
    problems.add("/linux/memoryPolicy/flags",
                 "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
}

// As the kernel takes it (dev_valid_name()); `pattern`: "%d" may occur once.
bool device_name_valid(const std::string& name, bool pattern) {
  if (name.empty() || name.size() >= IFNAMSIZ || name == "." || name == "..") return false;
  if (name.find_first_of("/: \t\n\v\f\r") != std::string::npos) return false;
  const size_t percent = name.find('%');
  if (percent == std::string::npos) return true;
  return pattern && name.compare(percent, 2, "%d") == 0 && name.rfind('%') == percent;
}

void check_net_devices(const Linux& in, Problems& problems) {
  if (in.net_devices.empty()) return;
  if (in.find(NamespaceType::network) == nullptr)
    problems.add("/linux/netDevices", "needs a network namespace of the container's own");
  std::set<std::string_view> names;
  for (const auto& [name, device] : in.net_devices) {
    const std::string pointer = pointer_to("/linux/netDevices", name);
    const std::string& inside = device.name.empty() ? name : device.name;
    if (!device_name_valid(name, false))
      problems.add(pointer, "invalid network device name " + quote(name));
    if (!device.name.empty() && !device_name_valid(device.name, true))
      problems.add(pointer + "/name", "invalid network device name " + quote(device.name));
    if (inside.find('%') == std::string::npos && !names.insert(inside).second)
      problems.add(pointer, "two devices would have the name " + quote(inside));
  }
}

void check_intel_rdt(const configs::IntelRdt& in, Problems& problems) {
  const auto has_line_end = [](const std::string& text) {
    return text.find('\n') != std::string::npos;
  };
  const std::string& id = in.clos_id;
  if (id == "." || id == ".." || (id.find('/') != std::string::npos && id != "/"))
    problems.add("/linux/intelRdt/closID", "is no name of a directory: " + quote(id));
  for (size_t i = 0; i < in.schemata.size(); ++i)
    if (has_line_end(in.schemata[i]))
      problems.add(pointer_to("/linux/intelRdt/schemata", i), "must be one line");
  // config-linux.md#intelrdt; an l3CacheSchema may have more lines, one for each resource.
  if (!in.mem_bw_schema.empty() &&
      (!in.mem_bw_schema.starts_with("MB:") || has_line_end(in.mem_bw_schema)))
    problems.add("/linux/intelRdt/memBwSchema", "must be one line that begins with \"MB:\"");
}

}  // namespace

void check_id_maps(const std::vector<configs::IdMap>& maps, const std::string& base,
                   Problems& problems) {
  if (maps.size() > kMaxIdMaps) problems.add(base, "has more than 340 entries");
  for (size_t i = 0; i < maps.size(); ++i) {
    const configs::IdMap& map = maps[i];
    const uint64_t end = std::max(uint64_t{map.container_id}, uint64_t{map.host_id}) + map.size;
    // The last ID, 4294967295, means "none" to the kernel and can't be mapped.
    if (map.size == 0 || end > UINT32_MAX)
      problems.add(pointer_to(base, i, "size"), "is 0, or the range ends beyond 4294967294");
  }
}

void check_linux(const Spec& spec, Problems& problems) {
  const Linux& in = spec.linux_part;
  check_namespaces(in, problems);
  check_user_namespace(in, problems);
  check_mount_namespace(spec, problems);
  for (size_t i = 0; i < in.devices.size(); ++i)
    check_device(in.devices[i], pointer_to("/linux/devices", i), problems);
  if (in.resources) check_resources(*in.resources, "/linux/resources", problems);
  check_sysctl(spec, problems);
  if (in.seccomp) check_seccomp(*in.seccomp, problems);
  if (in.seccomp && unknown_syscalls_fail(spec)) check_syscall_names(*in.seccomp, problems);
  check_paths(in.masked_paths, "/linux/maskedPaths", problems);
  check_paths(in.readonly_paths, "/linux/readonlyPaths", problems);
  check_time_offsets(in, problems);
  if (in.memory_policy) check_memory_policy(*in.memory_policy, problems);
  check_net_devices(in, problems);
  if (in.intel_rdt) check_intel_rdt(*in.intel_rdt, problems);
}

}  // namespace hull::specconv
