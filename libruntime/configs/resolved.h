#pragma once

#include <cstdint>
#include <string>
#include <vector>

// What the launcher works out of a Config before the container's first process runs.
namespace hull::configs {

// Capability sets as bit masks (bit = CAP_* number, capabilities(7)).
struct CapabilityMasks {
  uint64_t bounding = 0;
  uint64_t effective = 0;
  uint64_t inheritable = 0;
  uint64_t permitted = 0;
  uint64_t ambient = 0;
};

// A BPF program for seccomp(2), ready to load.
struct SeccompProgram {
  std::vector<uint64_t> instructions;  // struct sock_filter, 8 bytes each
  unsigned flags = 0;     // SECCOMP_FILTER_FLAG_* (NEW_LISTENER is added when `notifies`)
  bool notifies = false;  // uses SCMP_ACT_NOTIFY: loading gives a listener fd
};

// A v1 cgroup as the container's `cgroup` mount shows it.
struct CgroupController {
  std::string name;       // directory below /sys/fs/cgroup: base name of the host's mount point
  std::string host_path;  // the container's cgroup on the host
  std::string options;    // mount data for a mount in a new cgroup namespace: "cpu,cpuacct",
                          // "none,name=systemd"
  std::vector<std::string> links;  // symbolic links to make beside it ("cpu", "cpuacct")
};

}  // namespace hull::configs
