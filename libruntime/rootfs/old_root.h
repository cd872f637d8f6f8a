#pragma once

#include <cstdint>
#include <vector>

#include "libruntime/plan/plan.h"

// The host's mounts, which the new mount namespace starts with.
namespace hull::rootfs {

// Makes "/" slave, or what plan.propagation says, and the mount that the root file system lies on
// private when it is still shared: what is mounted from here on shows in no other namespace, and
// pivot_root(2) refuses shared mounts. Throws Error.
void detach_from_host(const plan::Rootfs& plan);

// What becomes of a host's mount on its way into the container's namespace and by
// detach_from_host: MS_* of propagation, to be applied in this order.
std::vector<uint64_t> source_propagation(const plan::Rootfs& plan);

// Tells enter() that the old root is a copy of this namespace's own, to be taken away.
void old_root_is_ours();

}  // namespace hull::rootfs
