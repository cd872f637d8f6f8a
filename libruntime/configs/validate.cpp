#include "libruntime/configs/validate.h"

#include <set>
#include <string>

#include "libruntime/configs/sysctl.h"
#include "libruntime/system/error.h"

namespace hull::configs {
namespace {

void require(bool holds, const std::string& field, const std::string& text) {
  if (!holds) throw Error(text).field(field).kind(ErrorKind::config_invalid);
}

void check_namespaces(const Config& config) {
  std::set<NamespaceType> seen;
  for (size_t i = 0; i < config.namespaces.size(); ++i) {
    const Namespace& ns = config.namespaces[i];
    const std::string field = "/linux/namespaces/" + std::to_string(i);
    require(seen.insert(ns.type).second, field, "the namespace is there twice");
    require(ns.path.empty() || ns.path.starts_with('/'), field + "/path",
            "must be an absolute path, not " + quote(ns.path));
  }
  const Namespace* time = config.find(NamespaceType::time);
  require(config.time_offsets.empty() || (time != nullptr && time->path.empty()),
          "/linux/timeOffsets", "needs a new time namespace");
  require(config.net_devices.empty() || config.find(NamespaceType::network) != nullptr,
          "/linux/netDevices", "needs a network namespace of the container's own");
}

void check_user_namespace(const Config& config) {
  const Namespace* user = config.find(NamespaceType::user);
  const auto check = [&](const char* field, const std::vector<IdMap>& maps) {
    require(maps.empty() || user != nullptr, field,
            "User namespace mappings specified, but USER namespace isn't enabled in the config");
    require(!maps.empty() || user == nullptr || !user->path.empty(), field,
            "User namespaces enabled, but no mappings found");
  };
  check("/linux/uidMappings", config.uid_mappings);
  check("/linux/gidMappings", config.gid_mappings);
}

void check_names(const Config& config) {
  const bool own = config.find(NamespaceType::uts) != nullptr;
  require(own || config.hostname.empty(), "/hostname",
          "unable to set hostname without a private UTS namespace");
  require(own || config.domainname.empty(), "/domainname",
          "unable to set domainname without a private UTS namespace");
}

// Without a mount namespace these would change the host's own mounts.
void check_mount_namespace(const Config& config) {
  if (config.find(NamespaceType::mount) != nullptr) return;
  constexpr char kText[] = "needs a mount namespace of the container's own";
  require(config.mounts.empty(), "/mounts", kText);
  require(!config.readonly_rootfs, "/root/readonly", kText);
  require(config.root_propagation == 0, "/linux/rootfsPropagation", kText);
  require(config.mask_paths.empty(), "/linux/maskedPaths", kText);
  require(config.readonly_paths.empty(), "/linux/readonlyPaths", kText);
}

void check_sysctl(const Config& config) {
  for (const auto& [key, value] : config.sysctl) {
    const std::string field = "/linux/sysctl/" + key;
    const auto path = sysctl_path(key);
    require(path.has_value(), field, "sysctl " + quote(key) + " is no name of a parameter");
    const auto type = sysctl_namespace(*path);
    require(type.has_value(), field,
            "sysctl " + quote(key) + " is not in a separate kernel namespace");
    require(config.find(*type) != nullptr, field,
            "sysctl " + quote(key) + " belongs to a namespace that the container shares");
  }
}

void check_intel_rdt(const Config& config) {
  if (!config.intel_rdt) return;
  const std::string& id = config.intel_rdt->clos_id;
  require(id != "." && id != ".." && id.find('/') == std::string::npos, "/linux/intelRdt/closID",
          "must be a name without \"/\", not " + quote(id));
}

void check_rlimits(const std::vector<Rlimit>& rlimits) {
  std::set<int> seen;
  for (const Rlimit& limit : rlimits) {
    require(seen.insert(limit.type).second, "/process/rlimits",
            "rlimit " + std::to_string(limit.type) + " is there twice");
    require(limit.soft <= limit.hard, "/process/rlimits",
            "rlimit " + std::to_string(limit.type) + ": soft is above hard");
  }
}

void check_hooks(const Hooks& hooks) {
  const auto commands_only = [](const std::vector<Hook>& list, const char* kind) {
    for (size_t i = 0; i < list.size(); ++i)
      require(!list[i].function, "/hooks/" + std::string(kind) + "/" + std::to_string(i),
              "the container's init runs it: it can't be a function of this program");
  };
  commands_only(hooks.create_container, "createContainer");
  commands_only(hooks.start_container, "startContainer");
}

}  // namespace

void validate(const Config& config) {
  require(config.rootfs.starts_with('/'), "/root/path",
          "must be an absolute path, not " + quote(config.rootfs));
  check_namespaces(config);
  check_user_namespace(config);
  check_names(config);
  check_mount_namespace(config);
  check_sysctl(config);
  check_intel_rdt(config);
  check_rlimits(config.rlimits);
  check_hooks(config.hooks);
}

}  // namespace hull::configs
