#include <algorithm>

#include "libruntime/configs/default_devices.h"
#include "specconv/convert_parts.h"

namespace hull::specconv {
namespace {

constexpr uint32_t kPermissionBits = 07777;  // hosts leave S_IFMT in fileMode

configs::DeviceRule rule_of(const DeviceRule& in) {
  return {in.type, in.major.value_or(-1), in.minor.value_or(-1), in.access, in.allow};
}

configs::Device node_of(const Device& in) {
  configs::Device out;
  out.path = in.path;
  out.type = in.type == 'u' ? 'c' : in.type;  // mknod(1): the same thing
  out.major = in.major.value_or(0);
  out.minor = in.minor.value_or(0);
  out.file_mode = in.file_mode.value_or(configs::kDefaultDeviceMode) & kPermissionBits;
  out.uid = in.uid.value_or(0);
  out.gid = in.gid.value_or(0);
  return out;
}

const configs::IdMap* root_map(const std::vector<configs::IdMap>& maps) {
  for (const configs::IdMap& map : maps)
    if (map.container_id == 0 && map.size > 0) return &map;
  return nullptr;
}

// Within a user namespace nodes belong to its root, as the host sees it (runc does the same).
void own_by_container_root(configs::Config& out) {
  const configs::IdMap* uid = root_map(out.uid_mappings);
  const configs::IdMap* gid = root_map(out.gid_mappings);
  for (configs::Device& device : out.devices) {
    if (uid != nullptr) device.uid = uid->host_id;
    if (gid != nullptr) device.gid = gid->host_id;
  }
}

}  // namespace

void convert_devices(const Linux& in, configs::Config& out) {
  std::vector<configs::DeviceRule>& rules = out.cgroup.resources.devices;
  if (in.resources)
    for (const DeviceRule& rule : in.resources->devices) rules.push_back(rule_of(rule));
  for (const configs::DefaultDevice& device : configs::kDefaultDevices) {
    // A node that the user describes takes the place of the default one, rule and all.
    const bool replaced = !device.path.empty() &&
                          std::any_of(in.devices.begin(), in.devices.end(),
                                      [&](const Device& own) { return own.path == device.path; });
    if (replaced) continue;
    rules.push_back({device.type, device.major, device.minor, std::string(device.access), true});
    if (!device.path.empty()) {
      out.devices.push_back({std::string(device.path), device.type, device.major, device.minor,
                             configs::kDefaultDeviceMode, 0, 0});
    }
  }
  for (const Device& device : in.devices) out.devices.push_back(node_of(device));
  if (in.find(configs::NamespaceType::user) != nullptr) own_by_container_root(out);
}

}  // namespace hull::specconv
