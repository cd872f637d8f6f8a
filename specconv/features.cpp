#include "specconv/features.h"

#include <seccomp.h>

#include <nlohmann/json.hpp>

#include "libruntime/configs/names.h"
#include "libruntime/security/capabilities.h"
#include "libruntime/security/seccomp.h"
#include "libruntime/version.h"
#include "specconv/annotations.h"
#include "specconv/mount_options.h"
#include "specconv/names.h"

namespace hull::specconv {
namespace {

using Json = nlohmann::ordered_json;

template <class Table, class Entry>
Json names(const Table& table, std::string_view Entry::*name) {
  Json out = Json::array();
  for (const Entry& entry : table) out.push_back(entry.*name);
  return out;
}

Json capabilities() {
  Json out = Json::array();
  const auto all = security::capability_names();
  for (size_t i = 0; i < all.size() && i <= security::last_capability(); ++i) out.push_back(all[i]);
  return out;
}

// libseccomp 2.5 does not know all that the spec names.
Json architectures() {
  Json out = Json::array();
  for (const configs::SeccompArchName& arch : configs::kSeccompArchs)
    if (seccomp_arch_resolve_name(std::string(arch.libseccomp).c_str()) != 0)
      out.push_back(arch.spec);
  return out;
}

Json supported_flags() {
  Json out = Json::array();
  for (const configs::SeccompFlagName& flag : configs::kSeccompFlags)
    if (security::seccomp_flag_supported(flag.bit)) out.push_back(flag.name);
  return out;
}

Json seccomp() {
  return {{"enabled", true},
          {"actions", names(configs::kSeccompActions, &configs::SeccompActionName::name)},
          {"operators", names(configs::kSeccompOperators, &configs::SeccompOperatorName::name)},
          {"archs", architectures()},
          {"knownFlags", names(configs::kSeccompFlags, &configs::SeccompFlagName::name)},
          {"supportedFlags", supported_flags()}};
}

Json linux_features() {
  return {{"namespaces", names(configs::kNamespaces, &configs::NamespaceName::spec)},
          {"capabilities", capabilities()},
          {"cgroup",
           {{"v1", true}, {"v2", true}, {"systemd", true}, {"systemdUser", true}, {"rdma", true}}},
          {"seccomp", seccomp()},
          {"apparmor", {{"enabled", true}}},
          {"selinux", {{"enabled", true}}},
          {"intelRdt", {{"enabled", true}, {"schemata", true}, {"monitoring", true}}},
          {"memoryPolicy",
           {{"modes", names(kMemoryPolicyModes, &NumberName::name)},
            {"flags", names(kMemoryPolicyFlags, &NumberName::name)}}},
          {"mountExtensions", {{"idmap", {{"enabled", true}}}}},
          {"netDevices", {{"enabled", true}}}};
}

std::string libseccomp_version() {
  const scmp_version* version = seccomp_version();
  return std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->micro);
}

}  // namespace

std::string features_json() {
  Json out = {
      {"ociVersionMin", "1.0.0"},
      {"ociVersionMax", kSpecVersion},
      {"hooks", kHookNames},
      {"mountOptions", names(kMountOptions, &MountOption::name)},
      {"linux", linux_features()},
      {"annotations",
       {{"io.github.seccomp.libseccomp.version", libseccomp_version()},
        {"io.hull.version", kVersion},
        // The name that Docker and containerd look for.
        {"org.opencontainers.runc.checkpoint.enabled", "true"}}},
      {"potentiallyUnsafeConfigAnnotations",
       {"bundle", "org.systemd.property.", "org.criu.config", "run.oci.", kAnnotationPrefix}},
  };
  return out.dump(4);
}

}  // namespace hull::specconv
