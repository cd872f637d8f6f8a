#pragma once

#include "libruntime/configs/config.h"

namespace hull::launch {

// Makes the places that the configuration mounts on, where the images of a checkpoint do not bring
// them: in the root file system and in what is bound into it. A container's first start makes them,
// too; a restore may find another copy of the root file system. Throws Error with /mounts/N.
void make_mount_points(const configs::Config& config);

}  // namespace hull::launch
