#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libruntime/configs/config.h"

// config.json of runtime-spec 1.3.0 (config.md, config-linux.md), typed: the common and the Linux
// part. An optional that is empty, an empty string or list stands for an absent (or null) field.
// Values that the internal configuration has too (seccomp, namespaces) use its types.
namespace hull::specconv {

struct ConsoleSize {
  uint64_t height = 0;
  uint64_t width = 0;
};

struct Process {
  bool terminal = false;
  std::optional<ConsoleSize> console_size;
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::optional<uint32_t> umask;
  std::vector<uint32_t> additional_gids;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string cwd;
  std::optional<configs::Capabilities> capabilities;
  std::vector<configs::Rlimit> rlimits;
  bool no_new_privileges = false;
  std::string apparmor_profile;
  std::string selinux_label;
  std::optional<int32_t> oom_score_adj;
  std::optional<configs::Scheduler> scheduler;
  std::optional<configs::IoPriority> io_priority;
  std::optional<configs::CpuAffinity> exec_cpu_affinity;
};

struct Root {
  std::string path;
  bool readonly = false;
};

struct Mount {
  std::string destination;
  std::string type;
  std::string source;
  std::vector<std::string> options;
  std::vector<configs::IdMap> uid_mappings;
  std::vector<configs::IdMap> gid_mappings;
};

struct Hook {
  std::string path;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::optional<int64_t> timeout;  // seconds
};

struct Hooks {
  std::vector<Hook> prestart;
  std::vector<Hook> create_runtime;
  std::vector<Hook> create_container;
  std::vector<Hook> start_container;
  std::vector<Hook> poststart;
  std::vector<Hook> poststop;
};

struct Device {
  std::string path;
  char type = 'c';  // 'c', 'b', 'u', 'p'
  std::optional<int64_t> major;
  std::optional<int64_t> minor;
  std::optional<uint32_t> file_mode;  // hosts leave the S_IFMT bits in
  std::optional<uint32_t> uid;
  std::optional<uint32_t> gid;
};

struct DeviceRule {
  bool allow = false;
  char type = 'a';  // 'a', 'b', 'c'
  std::optional<int64_t> major;
  std::optional<int64_t> minor;
  std::string access;
};

struct Memory {
  std::optional<int64_t> limit;
  std::optional<int64_t> reservation;
  std::optional<int64_t> swap;
  std::optional<int64_t> kernel;
  std::optional<int64_t> kernel_tcp;
  std::optional<uint64_t> swappiness;
  std::optional<bool> disable_oom_killer;
  std::optional<bool> use_hierarchy;
  std::optional<bool> check_before_update;
};

struct Cpu {
  std::optional<uint64_t> shares;
  std::optional<int64_t> quota;
  std::optional<uint64_t> burst;
  std::optional<uint64_t> period;
  std::optional<int64_t> realtime_runtime;
  std::optional<uint64_t> realtime_period;
  std::string cpus;
  std::string mems;
  std::optional<int64_t> idle;
};

struct WeightDevice {
  int64_t major = 0;
  int64_t minor = 0;
  std::optional<uint16_t> weight;
  std::optional<uint16_t> leaf_weight;
};

struct ThrottleDevice {
  int64_t major = 0;
  int64_t minor = 0;
  uint64_t rate = 0;
};

struct BlockIo {
  std::optional<uint16_t> weight;
  std::optional<uint16_t> leaf_weight;
  std::vector<WeightDevice> weight_device;
  std::vector<ThrottleDevice> throttle_read_bps;
  std::vector<ThrottleDevice> throttle_write_bps;
  std::vector<ThrottleDevice> throttle_read_iops;
  std::vector<ThrottleDevice> throttle_write_iops;
};

struct Network {
  std::optional<uint32_t> class_id;
  std::vector<configs::InterfacePriority> priorities;
};

struct Resources {
  std::vector<DeviceRule> devices;
  std::optional<Memory> memory;
  std::optional<Cpu> cpu;
  std::optional<int64_t> pids_limit;
  std::optional<BlockIo> block_io;
  std::vector<configs::HugepageLimit> hugepage_limits;
  std::optional<Network> network;
  std::map<std::string, configs::RdmaLimit> rdma;
  std::map<std::string, std::string> unified;
};

// One entry of linux.seccomp.syscalls: several calls with one verdict.
struct SeccompRule {
  std::vector<std::string> names;
  configs::SeccompAction action{};
  std::optional<uint32_t> errno_ret;
  std::vector<configs::SeccompArg> args;
};

struct Seccomp {
  configs::SeccompAction default_action{};
  std::optional<uint32_t> default_errno_ret;
  std::vector<std::string> architectures;  // "SCMP_ARCH_X86_64"
  std::optional<std::vector<std::string>> flags;
  std::string listener_path;
  std::string listener_metadata;
  std::vector<SeccompRule> syscalls;
};

// PER_* of personality(2).
struct Personality {
  int domain = 0;
  std::vector<std::string> flags;
};

// linux.netDevices: name on the host -> name in the container (empty: the same).
struct NetDevice {
  std::string name;
};

struct Linux {
  std::vector<configs::Namespace> namespaces;
  std::vector<configs::IdMap> uid_mappings;
  std::vector<configs::IdMap> gid_mappings;
  std::map<std::string, configs::TimeOffset> time_offsets;
  std::vector<Device> devices;
  std::map<std::string, NetDevice> net_devices;
  std::string cgroups_path;
  std::optional<Resources> resources;
  std::optional<configs::IntelRdt> intel_rdt;
  std::optional<configs::MemoryPolicy> memory_policy;
  std::map<std::string, std::string> sysctl;
  std::optional<Seccomp> seccomp;
  std::optional<uint64_t> rootfs_propagation;  // MS_*
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::string mount_label;
  std::optional<Personality> personality;

  // The namespace of this type, or null when the container shares the caller's.
  [[nodiscard]] const configs::Namespace* find(configs::NamespaceType type) const {
    for (const configs::Namespace& ns : namespaces)
      if (ns.type == type) return &ns;
    return nullptr;
  }
};

struct Spec {
  std::string oci_version;
  Root root;
  std::optional<Process> process;
  std::string hostname;
  std::string domainname;
  std::vector<Mount> mounts;
  Hooks hooks;
  std::map<std::string, std::string> annotations;
  Linux linux_part;  // "linux" is a macro of GCC's
};

}  // namespace hull::specconv
