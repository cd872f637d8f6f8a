#include <nlohmann/json.hpp>

#include "libruntime/configs/names.h"
#include "libruntime/system/text.h"
#include "libruntime/version.h"
#include "specconv/annotations.h"
#include "specconv/legacy.h"

namespace hull::specconv::legacy {
namespace {

using Json = nlohmann::ordered_json;

// What is empty or 0 says nothing.
template <class T>
void put_given(Json& object, const char* key, const T& value) {
  if (value != T{}) object[key] = value;
}

Json to_json(const configs::Network& in) {
  Json out = {{"type", in.type}};
  put_given(out, "name", in.name);
  put_given(out, "bridge", in.bridge);
  put_given(out, "mac_address", in.mac_address);
  put_given(out, "address", in.address);
  put_given(out, "gateway", in.gateway);
  put_given(out, "ipv6_address", in.ipv6_address);
  put_given(out, "ipv6_gateway", in.ipv6_gateway);
  put_given(out, "mtu", in.mtu);
  put_given(out, "txqueuelen", in.tx_queue_length);
  put_given(out, "host_interface_name", in.host_interface_name);
  put_given(out, "hairpin_mode", in.hairpin_mode);
  return out;
}

Json to_json(const configs::Route& in) {
  Json out = Json::object();
  put_given(out, "destination", in.destination);
  put_given(out, "source", in.source);
  put_given(out, "gateway", in.gateway);
  put_given(out, "interface_name", in.interface_name);
  return out;
}

Json to_json(const std::vector<configs::IdMap>& maps) {
  Json out = Json::array();
  for (const configs::IdMap& map : maps)
    out.push_back({{"containerID", map.container_id}, {"hostID", map.host_id}, {"size", map.size}});
  return out;
}

template <class T>
Json list_of(const std::vector<T>& values) {
  Json out = Json::array();
  for (const T& one : values) out.push_back(to_json(one));
  return out;
}

Json process_of(const Container& in, const Start& start) {
  Json user = {{"uid", start.user.uid}, {"gid", start.user.gid}};
  put_given(user, "additionalGids", start.user.groups);
  Json out = {{"terminal", in.tty},
              {"user", user},
              {"args", start.args},
              {"env", in.environment},
              {"cwd", in.working_dir.empty() ? "/" : in.working_dir},
              {"capabilities",
               {{"bounding", in.capabilities},
                {"effective", in.capabilities},
                {"permitted", in.capabilities}}},
              {"noNewPrivileges", false}};
  put_given(out, "apparmorProfile", in.apparmor_profile);
  put_given(out, "selinuxLabel", in.process_label);
  return out;
}

Json mount_of(const char* type, const std::string& source, const std::string& destination,
              std::vector<std::string> options) {
  return {{"destination", destination},
          {"type", type},
          {"source", source},
          {"options", std::move(options)}};
}

// What every container of that time had, and what its file adds.
Json mounts_of(const Container& in) {
  std::vector<std::string> sys_options{"noexec", "nosuid", "nodev"};
  if (in.restricted) sys_options.emplace_back("ro");
  Json out = {
      mount_of("proc", "proc", "/proc", {"noexec", "nosuid", "nodev"}),
      mount_of("tmpfs", "tmpfs", "/dev", {"nosuid", "strictatime", "mode=755"}),
      mount_of("tmpfs", "shm", "/dev/shm",
               {"noexec", "nosuid", "nodev", "mode=1777", "size=65536k"}),
      mount_of("devpts", "devpts", "/dev/pts",
               {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}),
      mount_of("sysfs", "sysfs", "/sys", sys_options),
  };
  for (const Mount& mount : in.mounts) {
    const std::string destination =
        mount.destination.starts_with('/') ? mount.destination : "/" + mount.destination;
    if (mount.type == "tmpfs")
      out.push_back(mount_of("tmpfs", "tmpfs", destination, {"noexec", "nosuid", "nodev"}));
    if (mount.type != "bind") continue;
    std::vector<std::string> options{"rbind", mount.writable ? "rw" : "ro"};
    if (mount.is_private) options.emplace_back("private");
    out.push_back(mount_of("bind", mount.source, destination, std::move(options)));
  }
  return out;
}

Json node_of(const Device& in) {
  Json out = {{"path", in.path}, {"type", std::string(1, in.type)}};
  if (in.type != 'p') {
    out["major"] = in.major;
    out["minor"] = in.minor;
  }
  put_given(out, "fileMode", in.file_mode & 07777);
  out["uid"] = in.uid;
  out["gid"] = in.gid;
  return out;
}

Json rule_of(const Device& in) {
  Json out = {{"allow", true}, {"type", std::string(1, in.type == 'u' ? 'c' : in.type)}};
  if (in.major >= 0) out["major"] = in.major;
  if (in.minor >= 0) out["minor"] = in.minor;
  out["access"] = in.access.empty() ? "rwm" : in.access;
  return out;
}

Json resources_of(const Cgroup& in) {
  Json devices = Json::array();
  devices.push_back({{"allow", in.allow_all_devices}, {"access", "rwm"}});
  for (const Device& device : in.allowed_devices) devices.push_back(rule_of(device));
  Json memory;
  put_given(memory, "limit", in.memory);
  put_given(memory, "reservation", in.memory_reservation);
  put_given(memory, "swap", in.memory_swap);
  Json cpu;
  put_given(cpu, "shares", in.cpu_shares);
  put_given(cpu, "quota", in.cpu_quota);
  put_given(cpu, "period", in.cpu_period);
  put_given(cpu, "cpus", in.cpuset_cpus);
  Json out = {{"devices", devices}};
  put_given(out, "memory", memory);
  put_given(out, "cpu", cpu);
  return out;
}

std::string cgroups_path_of(const Cgroup& in, bool systemd) {
  if (in.name.empty()) return {};
  if (systemd) return in.slice + ":" + in.parent + ":" + in.name;
  return clean_path("/" + in.parent + "/" + in.name);
}

// A user namespace whose maps are not told maps every ID to itself.
Json id_maps_of(const std::vector<configs::IdMap>& maps) {
  return to_json(maps.empty() ? std::vector<configs::IdMap>{{0, 0, UINT32_MAX}} : maps);
}

Json linux_of(const Container& in, const Start& start) {
  Json out;
  Json& namespaces = out["namespaces"] = Json::array();
  for (const configs::Namespace& ns : in.namespaces) {
    Json one = {{"type", configs::name_of(ns.type).spec}};
    put_given(one, "path", ns.path);
    namespaces.push_back(std::move(one));
    if (ns.type != configs::NamespaceType::user || !ns.path.empty()) continue;
    out["uidMappings"] = id_maps_of(in.uid_mappings);
    out["gidMappings"] = id_maps_of(in.gid_mappings);
  }
  for (const Device& device : in.device_nodes) out["devices"].push_back(node_of(device));
  put_given(out, "cgroupsPath", cgroups_path_of(in.cgroup, start.systemd_cgroup));
  out["resources"] = resources_of(in.cgroup);
  put_given(out, "mountLabel", in.mount_label);
  if (in.restricted) {
    out["maskedPaths"] = Json::array({"/proc/kcore"});
    out["readonlyPaths"] =
        Json::array({"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"});
  }
  return out;
}

}  // namespace

std::string to_config_json(const Container& container, const Start& start) {
  Json out = {{"ociVersion", kSpecVersion},
              {"process", process_of(container, start)},
              {"root", {{"path", start.root_path}, {"readonly", container.readonly_fs}}}};
  put_given(out, "hostname", container.hostname);
  out["mounts"] = mounts_of(container);
  Json annotations;
  if (!container.networks.empty())
    annotations[kNetworksAnnotation] = list_of(container.networks).dump();
  if (!container.routes.empty()) annotations[kRoutesAnnotation] = list_of(container.routes).dump();
  put_given(out, "annotations", annotations);
  out["linux"] = linux_of(container, start);
  return out.dump(1, '\t') + "\n";
}

}  // namespace hull::specconv::legacy
