#include <algorithm>

#include "libruntime/configs/names.h"
#include "libruntime/system/log.h"
#include "specconv/legacy.h"
#include "specconv/legacy_parts.h"
#include "specconv/node.h"
#include "specconv/parse_parts.h"

namespace hull::specconv::legacy {
namespace {

using Keys = std::initializer_list<std::string_view>;

void warn_of_unknown_keys(const Node& node, Keys known) {
  for (const std::string_view key : node.keys())
    if (std::find(known.begin(), known.end(), key) == known.end())
      log::warning("container.json: ignoring the unknown key " + node.pointer() +
                   pointer_part(key));
}

// The first of several spellings that is there.
template <class T>
void read_any(const Node& node, Keys keys, T& out) {
  for (const std::string_view key : keys)
    if (node.read(key, out)) return;
}

void add_namespace(const Node& where, const std::string& name, std::string path, Container& out) {
  const auto known = std::find_if(configs::kNamespaces.begin(), configs::kNamespaces.end(),
                                  [&](const auto& one) { return one.state == name; });
  if (known == configs::kNamespaces.end()) return where.problem("unknown namespace " + quote(name));
  for (const configs::Namespace& one : out.namespaces)
    if (one.type == known->type) return where.problem("duplicated namespace " + quote(name));
  out.namespaces.push_back({known->type, std::move(path)});
}

// Four forms, by date:
//   February  ["NEWNS", ...]
//   April     [{"key": "NEWNS", "enabled": true, "value": 131072, "file": "mnt"}, ...]
//   May       {"NEWNS": true, ...}
//   December  [{"type": "NEWNS", "path": ""}, ...]
void read_namespaces(const Node& node, Container& out) {
  const Node all = node.member("namespaces");
  if (all.is_map()) {
    for (const std::string_view key : all.keys()) {
      bool enabled = false;
      if (all.read(key, enabled) && enabled)
        add_namespace(all.member(key), std::string(key), "", out);
    }
    return;
  }
  all.each_entry([&](const Node& one) {
    std::string name;
    std::string path;
    bool enabled = true;
    if (one.is_map()) {
      one.read("path", path);
      if (!one.read("type", name)) {
        one.require({"key"});
        enabled = one.read("key", name) && one.read("enabled", enabled) && enabled;
      }
    } else if (!one.text(name)) {
      return;
    }
    if (enabled && !name.empty()) add_namespace(one, name, std::move(path), out);
  });
}

// Go wrote its rune as a number; people write a letter.
void read_device_type(const Node& node, std::string_view allowed, char& out) {
  const Node type = node.member("type");
  if (!type.present()) return;
  char found = '\0';
  if (type.is_text()) {
    std::string text;
    if (type.text(text) && text.size() == 1) found = text[0];
  } else {
    int number = 0;
    if (node.read("type", number) && number > 0 && number < 128) found = static_cast<char>(number);
  }
  if (found == '\0' || allowed.find(found) == std::string_view::npos)
    return type.problem("must be one of the letters " + std::string(allowed));
  out = found;
}

void read_device(const Node& node, std::string_view types, Device& out) {
  warn_of_unknown_keys(node, {"type", "path", "major_number", "minor_number", "cgroup_permissions",
                              "file_mode", "uid", "gid"});
  read_device_type(node, types, out.type);
  node.read("path", out.path);
  node.read("major_number", out.major);
  node.read("minor_number", out.minor);
  node.read("cgroup_permissions", out.access);
  node.read("file_mode", out.file_mode);
  node.read("uid", out.uid);
  node.read("gid", out.gid);
}

void read_mount(const Node& node, Mount& out) {
  warn_of_unknown_keys(
      node, {"type", "source", "destination", "writable", "private", "relabel", "slave"});
  out.type = "bind";
  node.read("type", out.type);
  node.read("source", out.source);
  node.read("destination", out.destination);
  node.read("writable", out.writable);
  node.read("private", out.is_private);
  if (out.type == "devtmpfs") return;
  if (out.type != "bind" && out.type != "tmpfs")
    return node.problem("type", "unsupported mount type " + quote(out.type));
  node.require({"destination"});
  if (out.type == "bind") node.require({"source"});
}

// May 2014, for some weeks: names below /dev instead of numbers.
void check_device_names(const Node& node) {
  constexpr std::string_view kAlways[] = {"null", "zero", "full", "random", "urandom", "tty"};
  for (const char* key : {"required_device_nodes", "optional_device_nodes"}) {
    std::vector<std::string> names;
    node.read(key, names);
    for (const std::string& name : names) {
      if (std::find(std::begin(kAlways), std::end(kAlways), name) != std::end(kAlways)) continue;
      if (key[0] == 'r') {
        node.problem(key, "the device " + quote(name) + " must be told by number, in device_nodes");
      } else {
        log::warning("container.json: the optional device " + quote(name) + " is left out");
      }
    }
  }
}

// At the top, later in "mount_config".
void read_file_systems(const Node& node, Container& out) {
  node.each("mounts", [&](const Node& one) { read_mount(one, out.mounts.emplace_back()); });
  node.each("device_nodes", [&](const Node& one) {
    read_device(one, "cbup", out.device_nodes.emplace_back());
    one.require({"path"});
  });
  check_device_names(node);
  node.read("readonly_fs", out.readonly_fs);
  node.read("no_pivot_root", out.no_pivot_root);
  node.read("mount_label", out.mount_label);
}

// A network that joins a namespace is one of the namespaces.
void join_network(const Node& node, const std::string& path, Container& out) {
  if (path.empty()) return node.problem("context", "needs the path of a network namespace, nspath");
  for (configs::Namespace& one : out.namespaces) {
    if (one.type != configs::NamespaceType::network) continue;
    one.path = path;
    return;
  }
  out.namespaces.push_back({configs::NamespaceType::network, path});
}

// May and later had options of a type as keys of their own, April in "context", March knew one type
// and called the address "ip".
void read_network(const Node& node, Container& out) {
  warn_of_unknown_keys(
      node, {"type", "context", "name", "bridge", "veth_prefix", "host_interface_name", "ns_path",
             "mac_address", "address", "ip", "ipv6_address", "gateway", "ipv6_gateway", "mtu",
             "txqueuelen", "hairpin_mode"});
  const Node context = node.object("context");
  warn_of_unknown_keys(context, {"bridge", "prefix", "nspath"});
  configs::Network network;
  network.type = configs::kVeth;
  node.read("type", network.type);
  if (network.type == "netns") {
    std::string path;
    node.read("ns_path", path);
    context.read("nspath", path);
    return join_network(node, path, out);
  }
  std::string prefix;
  specconv::read_network(node, network);
  node.read("ip", network.address);
  node.read("veth_prefix", prefix);
  context.read("bridge", network.bridge);
  context.read("prefix", prefix);
  if (!prefix.empty()) network.host_interface_name = prefix + "XXXX";
  // The sample says "localhost" for loopback, and nothing ever used it.
  if (network.type == configs::kLoopback) network.gateway.clear();
  if (network.type != configs::kVeth && network.type != configs::kLoopback)
    return node.problem("type", "unsupported network type " + quote(network.type));
  out.networks.push_back(std::move(network));
}

void read_networks(const Node& node, Container& out) {
  if (const Node one = node.object("network"); one.present()) read_network(one, out);
  node.each("networks", [&](const Node& one) { read_network(one, out); });
  node.each("routes", [&](const Node& one) {
    warn_of_unknown_keys(one, {"destination", "source", "gateway", "interface_name"});
    read_route(one, out.routes.emplace_back());
  });
}

void read_cgroup(const Node& node, Cgroup& out) {
  warn_of_unknown_keys(node, {"name", "parent", "slice", "allow_all_devices", "device_access",
                              "allowed_devices", "memory", "memory_reservation", "memory_swap",
                              "cpu_shares", "cpu_quota", "cpu_period", "cpuset_cpus", "freezer"});
  node.read("name", out.name);
  node.read("parent", out.parent);
  node.read("slice", out.slice);
  read_any(node, {"allow_all_devices", "device_access"}, out.allow_all_devices);
  node.each("allowed_devices",
            [&](const Node& one) { read_device(one, "abcu", out.allowed_devices.emplace_back()); });
  node.read("memory", out.memory);
  node.read("memory_reservation", out.memory_reservation);
  node.read("memory_swap", out.memory_swap);
  node.read("cpu_shares", out.cpu_shares);
  node.read("cpu_quota", out.cpu_quota);
  node.read("cpu_period", out.cpu_period);
  node.read("cpuset_cpus", out.cpuset_cpus);
  std::string freezer;
  node.read("freezer", freezer);
  if (!freezer.empty() && freezer != "THAWED")
    node.problem("freezer", "a container can't start frozen: pause it once it runs");
}

// In "context" as texts, later keys of their own.
void read_security(const Node& node, Container& out) {
  const Node context = node.object("context");
  warn_of_unknown_keys(context,
                       {"apparmor_profile", "process_label", "mount_label", "restrictions"});
  std::string restrictions;
  context.read("apparmor_profile", out.apparmor_profile);
  context.read("process_label", out.process_label);
  context.read("mount_label", out.mount_label);
  context.read("restrictions", restrictions);
  node.read("apparmor_profile", out.apparmor_profile);
  node.read("process_label", out.process_label);
  node.read("restrict_sys", out.restricted);
  out.restricted = out.restricted || (!restrictions.empty() && restrictions != "false");
}

void read_legacy_id_maps(const Node& node, std::string_view key, std::vector<configs::IdMap>& out) {
  node.each(key, [&](const Node& one) {
    configs::IdMap& map = out.emplace_back();
    one.require({"container_id", "host_id", "size"});
    one.read("container_id", map.container_id);
    one.read("host_id", map.host_id);
    one.read("size", map.size);
  });
}

void read_container(const Node& node, Container& out) {
  warn_of_unknown_keys(node, {"hostname",
                              "tty",
                              "environment",
                              "working_dir",
                              "user",
                              "readonly_fs",
                              "no_pivot_root",
                              "mounts",
                              "device_nodes",
                              "mount_config",
                              "namespaces",
                              "capabilities",
                              "capabilities_mask",
                              "network",
                              "networks",
                              "routes",
                              "cgroups",
                              "context",
                              "uid_mappings",
                              "gid_mappings",
                              "apparmor_profile",
                              "process_label",
                              "mount_label",
                              "restrict_sys",
                              "required_device_nodes",
                              "optional_device_nodes"});
  node.read("hostname", out.hostname);
  node.read("tty", out.tty);
  node.read("environment", out.environment);
  node.read("working_dir", out.working_dir);
  node.read("user", out.user);
  read_file_systems(node, out);
  if (const Node mounts = node.object("mount_config"); mounts.present())
    read_file_systems(mounts, out);
  read_namespaces(node, out);
  read_legacy_id_maps(node, "uid_mappings", out.uid_mappings);
  read_legacy_id_maps(node, "gid_mappings", out.gid_mappings);
  read_capabilities(node, out.capabilities);
  read_networks(node, out);
  if (const Node cgroup = node.object("cgroups"); cgroup.present()) read_cgroup(cgroup, out.cgroup);
  read_security(node, out);
}

}  // namespace

Container parse(std::string_view json_text) {
  const Document document(json_text);
  Problems problems;
  Container out;
  if (const Node root = document.root(problems); root.present()) read_container(root, out);
  problems.throw_if_any();
  return out;
}

}  // namespace hull::specconv::legacy
