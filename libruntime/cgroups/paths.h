#pragma once

#include <map>
#include <string>
#include <string_view>

#include "libruntime/cgroups/manager.h"
#include "libruntime/configs/config.h"

namespace hull::cgroups {

// Whether the container's cgroup is found from the caller's own, so that container_paths needs the
// text of /proc/self/cgroup.
bool relative_to_own(const configs::Cgroup& config);

// The container's directory in each hierarchy, keyed as runc's cgroup_paths. An absolute path
// starts at the mount points. A relative one, or parent and name when there is none, starts at the
// caller's own cgroup; on v2 at the parent of that, since a cgroup with processes can't share out
// controllers (cgroups(7), "no internal processes"). Throws Error for the root of a hierarchy, and
// for an own cgroup that lies outside of what is mounted. Pure.
std::map<std::string, std::string> container_paths(const configs::Cgroup& config,
                                                   const Layout& layout,
                                                   std::string_view own_cgroups);

// The caller's path in one hierarchy, from the text of /proc/[pid]/cgroup (cgroups(7)); `key` as in
// cgroup_paths. Empty when there is no such line.
std::string own_cgroup(std::string_view text, std::string_view key);

}  // namespace hull::cgroups
