#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace hull {

// A device node as it is in a directory of the host.
struct DeviceNode {
  std::string path;
  char type = 'c';  // 'c', 'b', 'p' for a FIFO
  int64_t major = 0;
  int64_t minor = 0;
  uint32_t file_mode = 0;  // permission bits only
  uid_t uid = 0;
  gid_t gid = 0;
};

// Links are not followed. Throws Error: errno's, or "not a device node".
DeviceNode device_of(const std::string& path);

// All device nodes below a directory, by path. Left out are /dev/console and the directories in
// which nodes belong to somebody: pts, shm, fd, mqueue, .lxc, .lxd-mounts, .udev. Throws Error.
std::vector<DeviceNode> devices_below(const std::string& directory);

// Those of /dev: what a privileged container may be given.
inline std::vector<DeviceNode> host_devices() { return devices_below("/dev"); }

}  // namespace hull
