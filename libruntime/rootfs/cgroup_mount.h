#pragma once

#include "libruntime/configs/config.h"
#include "libruntime/plan/plan.h"
#include "libruntime/system/root_path.h"

namespace hull::rootfs {

// A mount of type "cgroup" (config-linux.md#cgroup-ownership, runc's mountCgroupV1 and V2): the
// container's own cgroups, as plan.cgroup tells.
//   v2: a cgroup2 mount in the container's cgroup namespace, else a bind of its cgroup
//   v1 and hybrid: a tmpfs with a directory for each controller ("cpu,cpuacct", "systemd",
//   "unified") and links for each of several names ("cpu")
// Throws Error.
void mount_cgroup(const RootPath& root, const plan::Rootfs& plan, const configs::Mount& mount);

}  // namespace hull::rootfs
