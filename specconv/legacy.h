#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libruntime/configs/config.h"
#include "libruntime/system/users.h"

// container.json, the configuration of Docker's libcontainer in 2014, in all the spellings that it
// had between February and December of that year; and what it is as a config.json.
namespace hull::specconv::legacy {

struct Mount {
  std::string type;  // "bind", "tmpfs"; "devtmpfs" stands for /dev, which is there anyway
  std::string source;
  std::string destination;
  bool writable = false;
  bool is_private = false;
};

// A node to make, or what may be used: then -1 is any number.
struct Device {
  char type = 'c';
  std::string path;
  int64_t major = 0;
  int64_t minor = 0;
  std::string access;
  uint32_t file_mode = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
};

// Limits of 0 are not set.
struct Cgroup {
  std::string name;
  std::string parent;
  std::string slice;  // for systemd
  bool allow_all_devices = false;
  std::vector<Device> allowed_devices;
  int64_t memory = 0;
  int64_t memory_reservation = 0;
  int64_t memory_swap = 0;
  uint64_t cpu_shares = 0;
  int64_t cpu_quota = 0;
  uint64_t cpu_period = 0;
  std::string cpuset_cpus;
};

struct Container {
  std::string hostname;
  bool tty = false;
  std::vector<std::string> environment;
  std::string working_dir;
  std::string user;  // "USER:GROUP", names or numbers
  bool readonly_fs = false;
  bool no_pivot_root = false;
  std::vector<Mount> mounts;
  std::vector<Device> device_nodes;
  std::vector<configs::Namespace> namespaces;
  std::vector<configs::IdMap> uid_mappings;
  std::vector<configs::IdMap> gid_mappings;
  std::vector<std::string> capabilities;  // that are kept: "CAP_CHOWN"
  std::vector<configs::Network> networks;
  std::vector<configs::Route> routes;
  Cgroup cgroup;
  std::string apparmor_profile;
  std::string process_label;
  std::string mount_label;
  bool restricted = false;  // parts of /proc and /sys are hidden or read-only
};

// Throws hull::Error that tells all problems at once, with their pointers (problem.h). Unknown keys
// are ignored with a warning, as Go's decoder ignored them.
Container parse(std::string_view json_text);

// What container.json does not say.
struct Start {
  std::string root_path;  // root.path of config.json
  std::vector<std::string> args;
  UserIds user;                 // Container::user, looked up
  bool systemd_cgroup = false;  // cgroupsPath is "slice:prefix:name"
};

// The config.json of a container that behaves alike. Networks and routes, for which the
// specification has no place, become annotations (kNetworksAnnotation).
std::string to_config_json(const Container& container, const Start& start);

}  // namespace hull::specconv::legacy
