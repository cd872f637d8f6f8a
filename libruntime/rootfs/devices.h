#pragma once

#include "libruntime/plan/plan.h"
#include "libruntime/system/root_path.h"

namespace hull::rootfs {

// Makes plan.devices and the links that programs expect in /dev (fd, stdin, stdout, stderr, core,
// ptmx; config-linux.md#default-devices, runtime-linux.md#dev-symbolic-links). Nothing when /dev is
// a bind mount: then it is the host's. The umask is 0. Throws Error.
void make_devices(const RootPath& root, const plan::Rootfs& plan);

}  // namespace hull::rootfs
