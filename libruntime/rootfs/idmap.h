#pragma once

#include <vector>

#include "libruntime/configs/config.h"

namespace hull::rootfs {

// Makes the detached mount `mount` (its whole tree with `recursive`) an idmapped one: files of a
// container_id show as those of host_id (mount_setattr(2), MOUNT_ATTR_IDMAP). The caller needs
// CAP_SYS_ADMIN in the user namespace of the file system, which for a host's file system is the
// initial one. Forks a short-lived child. Throws Error.
void map_ids(int mount, const std::vector<configs::IdMap>& uids,
             const std::vector<configs::IdMap>& gids, bool recursive);

}  // namespace hull::rootfs
