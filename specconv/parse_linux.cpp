#include <algorithm>

#include "libruntime/system/number_list.h"
#include "specconv/names.h"
#include "specconv/parse_parts.h"

// config-linux.md without resources and seccomp
namespace hull::specconv {
namespace {

void read_namespace(const Node& node, std::vector<configs::Namespace>& out) {
  node.require({"type"});
  std::string name;
  configs::Namespace ns;
  node.read("path", ns.path);
  if (!node.read("type", name)) return;
  const auto known = std::find_if(configs::kNamespaces.begin(), configs::kNamespaces.end(),
                                  [&](const auto& one) { return one.spec == name; });
  if (known == configs::kNamespaces.end())
    return node.problem("type", "namespace " + quote(name) + " does not exist");
  ns.type = known->type;
  // config-linux.md#namespaces: duplicates MUST be an error.
  if (std::any_of(out.begin(), out.end(), [&](const auto& one) { return one.type == ns.type; }))
    return node.problem("type", "malformed spec file: duplicated ns " + quote(name));
  out.push_back(std::move(ns));
}

void read_device(const Node& node, Device& out) {
  node.require({"path", "type"});
  node.read("path", out.path);
  std::string type;
  if (node.read("type", type)) {
    if (type.size() == 1 && std::string_view("cbup").find(type[0]) != std::string_view::npos) {
      out.type = type[0];
    } else {
      node.problem("type", "must be c, b, u or p, not " + quote(type));
    }
  }
  node.read("major", out.major);
  node.read("minor", out.minor);
  node.read("fileMode", out.file_mode);
  node.read("uid", out.uid);
  node.read("gid", out.gid);
}

void read_time_offsets(const Node& node, Linux& out) {
  node.each_member("timeOffsets", [&](const std::string& clock, const Node& offset) {
    if (clock != "monotonic" && clock != "boottime") return;  // an unknown property
    configs::TimeOffset& one = out.time_offsets[clock];
    offset.read("secs", one.seconds);
    offset.read("nanosecs", one.nanoseconds);
  });
}

void read_intel_rdt(const Node& node, configs::IntelRdt& out) {
  node.read("closID", out.clos_id);
  node.read("schemata", out.schemata);
  node.read("l3CacheSchema", out.l3_cache_schema);
  node.read("memBwSchema", out.mem_bw_schema);
  node.read("enableMonitoring", out.enable_monitoring);
}

void read_memory_policy(const Node& node, configs::MemoryPolicy& out) {
  node.require({"mode"});
  node.read_name("mode", kMemoryPolicyModes, &NumberName::value, out.mode);
  std::vector<int> flags;
  node.read_names("flags", kMemoryPolicyFlags, &NumberName::value, flags);
  for (const int flag : flags) out.flags |= flag;
  read_number_list(node, "nodes", out.nodes);
}

void read_personality(const Node& node, Personality& out) {
  node.require({"domain"});
  node.read_name("domain", kPersonalities, &NumberName::value, out.domain);
  node.read("flags", out.flags);
}

// An empty string is absent, as in Go's structs.
void read_propagation(const Node& node, Linux& out) {
  std::string name;
  if (node.read("rootfsPropagation", name) && !name.empty()) {
    node.read_name("rootfsPropagation", kPropagations, &PropagationName::flags,
                   out.rootfs_propagation);
  }
}

}  // namespace

void read_id_maps(const Node& parent, std::string_view key, std::vector<configs::IdMap>& out) {
  parent.each(key, [&](const Node& node) {
    node.require({"containerID", "hostID", "size"});
    configs::IdMap& map = out.emplace_back();
    node.read("containerID", map.container_id);
    node.read("hostID", map.host_id);
    node.read("size", map.size);
  });
}

void read_number_list(const Node& parent, std::string_view key, std::vector<uint64_t>& out) {
  std::string text;
  if (!parent.read(key, text) || text.empty()) return;
  const auto mask = parse_number_list(text);
  if (!mask || mask->empty())
    return parent.problem(key, "is not a list of numbers such as \"0-3,7\": " + quote(text));
  out = *mask;
}

void read_linux(const Node& node, Linux& out) {
  node.each("namespaces", [&](const Node& ns) { read_namespace(ns, out.namespaces); });
  read_id_maps(node, "uidMappings", out.uid_mappings);
  read_id_maps(node, "gidMappings", out.gid_mappings);
  read_time_offsets(node, out);
  node.each("devices",
            [&](const Node& device) { read_device(device, out.devices.emplace_back()); });
  node.each_member("netDevices", [&](const std::string& name, const Node& device) {
    device.read("name", out.net_devices[name].name);
  });
  node.read("cgroupsPath", out.cgroups_path);
  if (const Node resources = node.object("resources"); resources.present())
    read_resources(resources, out.resources.emplace());
  // Empty it still asks for a group.
  if (const Node rdt = node.object("intelRdt"); rdt.present())
    read_intel_rdt(rdt, out.intel_rdt.emplace());
  if (const Node policy = node.object("memoryPolicy"); policy.has_members())
    read_memory_policy(policy, out.memory_policy.emplace());
  node.read("sysctl", out.sysctl);
  if (const Node seccomp = node.object("seccomp"); seccomp.present())
    read_seccomp(seccomp, out.seccomp.emplace());
  read_propagation(node, out);
  node.read("maskedPaths", out.masked_paths);
  node.read("readonlyPaths", out.readonly_paths);
  node.read("mountLabel", out.mount_label);
  if (const Node personality = node.object("personality"); personality.has_members())
    read_personality(personality, out.personality.emplace());
}

}  // namespace hull::specconv
