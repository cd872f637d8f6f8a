#pragma once

#include <string>
#include <string_view>

#include "libruntime/cgroups/manager.h"

namespace hull::cgroups {

// The layout that a /proc/self/mountinfo describes. As in runc, cgroup v2 counts when it is mounted
// at /sys/fs/cgroup, at /sys/fs/cgroup/unified (hybrid), or when there is no v1 hierarchy at all;
// of named v1 hierarchies only name=systemd counts.
Layout parse_layout(std::string_view mountinfo);

// The hierarchy of a v1 controller or name ("cpu", "name=systemd"); "" is v2. Null when not
// mounted.
const Hierarchy* find_hierarchy(const Layout& layout, std::string_view key);

// Whether `path` is absolute, clean and strictly below the mount point of a hierarchy: what may be
// killed in or removed.
bool inside_hierarchy(const Layout& layout, std::string_view path);

}  // namespace hull::cgroups
