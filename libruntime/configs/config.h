#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libruntime/configs/unit_property.h"

// The internal configuration of a container: values without behaviour. Names and meaning follow the
// "config" of runc's state.json, so that either runtime can read what the other wrote
// (configs/config_json.h).
namespace hull::configs {

struct IdMap {
  uint32_t container_id = 0;
  uint32_t host_id = 0;
  uint32_t size = 0;
};

enum class NamespaceType { mount, uts, ipc, user, pid, network, cgroup, time };

struct Namespace {
  NamespaceType type{};
  std::string path;  // empty: a new one
};

// A mount of the container. Flags are MS_* of mount(2).
struct Mount {
  std::string source;
  std::string destination;
  std::string type;  // "bind" for a bind mount, "cgroup" for the container's cgroups
  uint64_t flags = 0;
  uint64_t clear_flags = 0;           // options that were switched off by name ("dev", "rw")
  std::vector<uint64_t> propagation;  // MS_SHARED and so on, each applied on its own
  std::string data;                   // options for the file system, joined by commas
  uint64_t recursive_set = 0;         // MOUNT_ATTR_*, applied to the whole tree ("rro")
  uint64_t recursive_clear = 0;
  bool copy_up = false;               // "tmpcopyup"
  bool source_nofollow = false;       // a symbolic link is bound itself
  bool destination_nofollow = false;  // a symbolic link is covered itself
  bool copy_symlink = false;          // a source that is a symbolic link is made anew, not bound
  std::vector<IdMap> uid_mappings;    // of an idmapped mount: both lists or none
  std::vector<IdMap> gid_mappings;
  bool idmap_recursive = false;

  [[nodiscard]] bool idmapped() const { return !uid_mappings.empty() || !gid_mappings.empty(); }
};

// One rule of the device cgroup. -1 is any number; type 'a' is all devices.
struct DeviceRule {
  char type = 'a';
  int64_t major = -1;
  int64_t minor = -1;
  std::string permissions;  // of "rwm"
  bool allow = false;
};

// A device node to make, with the rule it comes with.
struct Device {
  std::string path;
  char type = 'c';  // 'c', 'b', 'p'
  int64_t major = 0;
  int64_t minor = 0;
  uint32_t file_mode = 0;  // permission bits only
  uint32_t uid = 0;
  uint32_t gid = 0;
};

struct WeightDevice {
  int64_t major = 0;
  int64_t minor = 0;
  uint16_t weight = 0;
  uint16_t leaf_weight = 0;
};

struct ThrottleDevice {
  int64_t major = 0;
  int64_t minor = 0;
  uint64_t rate = 0;
};

struct HugepageLimit {
  std::string page_size;  // "2MB", as in the file name
  uint64_t limit = 0;     // bytes
};

struct InterfacePriority {
  std::string interface;
  uint32_t priority = 0;
};

struct RdmaLimit {
  std::optional<uint32_t> hca_handles;
  std::optional<uint32_t> hca_objects;
};

// Limits of the cgroup. 0 (or empty) is "not set" where nothing else is said; -1 is "no limit".
struct Resources {
  std::vector<DeviceRule> devices;
  int64_t memory = 0;
  int64_t memory_reservation = 0;
  int64_t memory_swap = 0;  // memory and swap together
  std::optional<uint64_t> memory_swappiness;
  std::optional<bool> oom_kill_disable;
  bool memory_check_before_update = false;
  uint64_t cpu_shares = 0;
  int64_t cpu_quota = 0;
  std::optional<uint64_t> cpu_burst;
  uint64_t cpu_period = 0;
  int64_t cpu_rt_runtime = 0;
  uint64_t cpu_rt_period = 0;
  uint64_t cpu_weight = 0;  // derived from cpu_shares for v2
  std::optional<int64_t> cpu_idle;
  std::string cpuset_cpus;
  std::string cpuset_mems;
  std::optional<int64_t> pids_limit;
  uint16_t blkio_weight = 0;
  uint16_t blkio_leaf_weight = 0;
  std::vector<WeightDevice> blkio_weight_device;
  std::vector<ThrottleDevice> throttle_read_bps;
  std::vector<ThrottleDevice> throttle_write_bps;
  std::vector<ThrottleDevice> throttle_read_iops;
  std::vector<ThrottleDevice> throttle_write_iops;
  std::vector<HugepageLimit> hugetlb;
  std::vector<InterfacePriority> net_prio;
  uint32_t net_cls_classid = 0;
  std::map<std::string, RdmaLimit> rdma;
  std::map<std::string, std::string> unified;
};

struct Cgroup {
  std::string name;  // used when path is empty: a cgroup of this name below the caller's own
  std::string parent;
  std::string path;          // linux.cgroupsPath, cleaned
  std::string scope_prefix;  // systemd
  bool systemd = false;
  bool rootless = false;
  bool disabled = false;  // there is none: the container stays in those of the caller
  // Of the annotations org.systemd.property.*. Like runc's, they are not in state.json.
  std::vector<UnitProperty> unit_properties;
  std::string sub_group;  // systemd: below the unit's cgroup, for the container; empty: none
  Resources resources;
  std::optional<uint32_t> owner_uid;  // the host's user that a v2 cgroup is given to
};

// Names are "CAP_..."; the order is the config's.
struct Capabilities {
  std::vector<std::string> bounding;
  std::vector<std::string> effective;
  std::vector<std::string> inheritable;
  std::vector<std::string> permitted;
  std::vector<std::string> ambient;
};

struct Rlimit {
  int type = 0;  // RLIMIT_*
  uint64_t hard = 0;
  uint64_t soft = 0;
};

// SCHED_* and SCHED_FLAG_* of sched_setattr(2).
struct Scheduler {
  int policy = 0;
  int32_t nice = 0;
  int32_t priority = 0;
  std::vector<uint64_t> flags;
  uint64_t runtime = 0;  // nanoseconds, as the next two
  uint64_t deadline = 0;
  uint64_t period = 0;
};

// IOPRIO_CLASS_* of ioprio_set(2).
struct IoPriority {
  int io_class = 0;
  int32_t priority = 0;
};

// CPUs as a bit mask, as long as the highest number asks; empty: not given.
using CpuMask = std::vector<uint64_t>;

// CPUs of a process that `exec` starts: before and after it enters the container's cgroup.
struct CpuAffinity {
  CpuMask initial;
  CpuMask after;
};

// MPOL_* and MPOL_F_* of set_mempolicy(2).
struct MemoryPolicy {
  int mode = 0;
  int flags = 0;
  std::vector<uint64_t> nodes;  // a bit mask
};

// Of a clock of time_namespaces(7).
struct TimeOffset {
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
};

// A group of the resctrl file system.
struct IntelRdt {
  std::string clos_id;  // empty: a group of the container's own
  std::vector<std::string> schemata;
  std::string l3_cache_schema;
  std::string mem_bw_schema;
  bool enable_monitoring = false;
};

enum class SeccompAction {
  kill_thread,
  trap,
  errno_,
  trace,
  allow,
  log,
  notify,
  kill_process,
};

enum class SeccompOperator { ne, lt, le, eq, ge, gt, masked_eq };

struct SeccompArg {
  unsigned index = 0;
  uint64_t value = 0;
  uint64_t value_two = 0;
  SeccompOperator op = SeccompOperator::eq;
};

struct SeccompCall {
  std::string name;
  SeccompAction action{};
  std::optional<unsigned> errno_ret;
  std::vector<SeccompArg> args;
};

struct Seccomp {
  SeccompAction default_action{};
  std::optional<unsigned> default_errno_ret;
  std::vector<std::string>
      architectures;               // libseccomp's names: "amd64", "x86", "x32", "arm64", ...
  bool flags_given = false;        // absent flags mean SPEC_ALLOW, an empty list none
  std::vector<std::string> flags;  // "SECCOMP_FILTER_FLAG_..."
  std::string listener_path;
  std::string listener_metadata;
  std::vector<SeccompCall> calls;
};

// A hook is a command; the container's state comes on stdin.
struct Hook {
  std::string path;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string dir;
  std::optional<int64_t> timeout_ns;
  // Or, for a program that uses the library, a function that gets the state's JSON and fails by
  // throwing. It runs in the calling thread, is not stored (a container that was loaded has none of
  // it), and can't be one of createContainer or startContainer, which the init runs.
  std::function<void(const std::string& state)> function = nullptr;
};

inline constexpr std::string_view kLoopback = "loopback";  // Network::type
inline constexpr std::string_view kVeth = "veth";

// A network of a container in a network namespace of its own. Empty and 0: the kernel's choice.
struct Network {
  std::string type;  // "loopback": lo; "veth": a pair, one end in the container, one on a bridge
  std::string name;  // in the container; empty: "eth" and the number among these
  std::string bridge;
  std::string mac_address;
  std::string address;  // with its prefix length: "172.17.42.2/16"
  std::string gateway;  // of a default route
  std::string ipv6_address;
  std::string ipv6_gateway;
  int mtu = 0;
  int tx_queue_length = 0;
  // The end on the host. "XXXX" at its end stands for four characters to be chosen, as with
  // mkstemp(3); empty: "vethXXXX".
  std::string host_interface_name;
  bool hairpin_mode = false;
};

// Added once the networks are there. What is empty is the default of the address family.
struct Route {
  std::string destination;  // with its prefix length
  std::string source;
  std::string gateway;
  std::string interface_name;
};

struct Hooks {
  std::vector<Hook> prestart;
  std::vector<Hook> create_runtime;
  std::vector<Hook> create_container;
  std::vector<Hook> start_container;
  std::vector<Hook> poststart;
  std::vector<Hook> poststop;
};

struct Config {
  std::string version;  // ociVersion
  std::string rootfs;   // absolute
  bool no_pivot_root = false;
  bool readonly_rootfs = false;
  std::optional<uint32_t> umask;
  uint64_t root_propagation = 0;  // MS_*
  // What the container's init gets when the process that made it ends before it does; 0: nothing.
  int parent_death_signal = 0;
  std::vector<Mount> mounts;
  std::vector<Device> devices;
  std::string mount_label;
  std::string hostname;
  std::string domainname;
  std::vector<Namespace> namespaces;
  std::optional<Capabilities> capabilities;
  // A new network namespace has its loopback device up without being asked.
  std::vector<Network> networks;
  std::vector<Route> routes;
  Cgroup cgroup;
  std::string apparmor_profile;
  std::string process_label;
  std::vector<Rlimit> rlimits;
  std::optional<int> oom_score_adj;
  std::vector<IdMap> uid_mappings;
  std::vector<IdMap> gid_mappings;
  std::vector<std::string> mask_paths;
  std::vector<std::string> readonly_paths;
  std::map<std::string, std::string> sysctl;
  std::optional<Seccomp> seccomp;
  bool no_new_privileges = false;
  Hooks hooks;
  std::vector<std::string> labels;  // "bundle=PATH", then the annotations as "key=value"
  bool no_new_keyring = false;
  bool rootless_euid = false;
  bool rootless_cgroups = false;
  std::map<std::string, std::string> net_devices;  // name on the host -> in the container
  std::optional<IntelRdt> intel_rdt;
  std::map<std::string, TimeOffset> time_offsets;  // "monotonic", "boottime"
  std::optional<Scheduler> scheduler;
  std::optional<int> personality;  // PER_* of personality(2)
  std::optional<MemoryPolicy> memory_policy;
  std::optional<IoPriority> io_priority;
  std::optional<CpuAffinity> exec_cpu_affinity;

  // The namespace of this type, or null when the container shares the caller's.
  [[nodiscard]] const Namespace* find(NamespaceType type) const {
    for (const Namespace& ns : namespaces)
      if (ns.type == type) return &ns;
    return nullptr;
  }
};

// The user's program: config.json's "process", or what exec was given.
struct Process {
  bool terminal = false;
  unsigned short console_rows = 0;  // 0: not given
  unsigned short console_columns = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> additional_gids;
  std::optional<uint32_t> umask;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string cwd;
  std::optional<Capabilities> capabilities;
  std::vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  std::string apparmor_profile;
  std::string selinux_label;
  std::optional<int> oom_score_adj;
  std::optional<Scheduler> scheduler;
  std::optional<IoPriority> io_priority;
  std::optional<CpuAffinity> exec_cpu_affinity;
};

}  // namespace hull::configs
