#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libruntime/configs/config.h"
#include "libruntime/configs/resolved.h"

// The contract between the launcher and hull-init: all that the container's first process needs to
// know, resolved as far as it can be outside.
namespace hull::plan {

// The container's cgroups as its `cgroup` mounts show them.
struct CgroupView {
  bool v2 = false;             // the host is pure v2
  bool own_namespace = false;  // the container has a new cgroup namespace
  std::string unified_path;    // v2 or hybrid: the container's v2 cgroup on the host
  std::vector<configs::CgroupController> controllers;  // v1 and hybrid
};

// The container's file system; what rootfs/ works from.
struct Rootfs {
  std::string path;  // absolute, on the host
  bool readonly = false;
  bool no_pivot = false;
  bool bind_devices = false;  // in a user namespace: mknod(2) is not allowed, bind the host's nodes
  bool user_namespace = false;
  uint64_t propagation = 0;  // MS_*, 0: slave
  std::vector<configs::Mount> mounts;
  std::vector<configs::Device> devices;
  std::vector<configs::IdMap> gid_mappings;  // to know whether gid 5 (devpts) is mapped
  std::vector<std::string> mask_paths;
  std::vector<std::string> readonly_paths;
  std::string mount_label;
  CgroupView cgroup;
};

// The user's program and what it may do.
struct Process {
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string cwd;
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups;
  bool set_groups = true;  // false: the caller's supplementary groups stay
  std::optional<uint32_t> umask;
  bool terminal = false;
  unsigned short rows = 0;
  unsigned short columns = 0;
  std::vector<configs::Rlimit> rlimits;
  std::optional<configs::CapabilityMasks> capabilities;  // none: as the launcher has them
  bool no_new_privileges = false;
  std::string apparmor_profile;
  std::string selinux_label;
  std::optional<int> oom_score_adj;
  std::optional<configs::Scheduler> scheduler;
  std::optional<configs::IoPriority> io_priority;
  std::optional<int> personality;
  std::optional<configs::MemoryPolicy> memory_policy;
  std::optional<configs::SeccompProgram> seccomp;
  unsigned preserve_fds = 0;  // 3 .. 3 + n - 1 reach the program
};

enum class Kind : uint8_t { container, exec };

struct Plan {
  Kind kind = Kind::container;
  std::string id;
  Process process;
  bool has_process = true;  // config.json may leave it out: then `start` fails
  Rootfs rootfs;            // container only
  bool has_mount_namespace = true;
  bool joined_user_namespace = false;
  uint64_t new_namespaces = 0;       // CLONE_NEW* that the clone made
  bool unshare_cgroup = false;       // after entering the cgroup
  uint64_t join_by_pidfd = 0;        // exec: namespaces of the container's init, by one setns(2)
  bool enter_pid_namespace = false;  // exec: of those, the PID namespace, by a second process
  std::string hostname;
  std::string domainname;
  std::map<std::string, std::string> sysctl;
  std::string session_keyring;  // name of a new one; empty: keep the caller's
  bool loopback_up = false;     // new network namespace
  bool runtime_hooks = false;   // ask the launcher to run prestart and createRuntime
  std::vector<configs::Hook> create_container_hooks;
  std::vector<configs::Hook> start_container_hooks;
  std::string
      creating_state;         // state JSON for createContainer hooks, with the pid left as kPidMark
  std::string created_state;  // state JSON for startContainer hooks
  bool rlimits_from_outside = false;  // the launcher raises them, whom the host may let
  bool start_now = false;             // run and exec: no exec.fifo
  bool wait_when_created = false;     // the launcher has something to do before the program starts
  int parent_death_signal = 0;        // what the program gets when the launcher dies; 0: nothing
  int log_level = 1;                  // log::Level

  // Descriptors beside the message, in this order.
  bool memory_tasks = false;  // `tasks` of the v1 memory hierarchy, to be entered last
  std::vector<configs::NamespaceType> namespace_fds;  // to join, one descriptor each
  bool pidfd = false;                                 // of the container's init, for join_by_pidfd
  bool exec_fifo = false;                             // O_PATH
  bool hook_stdout = false;  // where createContainer and startContainer hooks write
  bool hook_stderr = false;
};

}  // namespace hull::plan
