#pragma once

#include <string>
#include <vector>

#include "libruntime/cgroups/limit_groups.h"

namespace hull::cgroups {

enum class Enable { all, needed };

// Makes a v2 cgroup have controllers, by cgroup.subtree_control of the cgroups from `root` (the
// mount point) down to its parent: all that the root has, as runc does (statistics read them), or
// the needed ones. A needed one that can't be had is an Error that names it and where it stops.
// Gives those that `dir` has in the end.
std::vector<std::string> enable_controllers(const std::string& root, const std::string& dir,
                                            Enable which,
                                            const std::vector<NeededController>& needed);

}  // namespace hull::cgroups
