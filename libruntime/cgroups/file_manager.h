#pragma once

#include <map>
#include <memory>
#include <string>

#include "libruntime/cgroups/directories.h"
#include "libruntime/cgroups/manager.h"

namespace hull::cgroups {

// The manager that works on the cgroups' files, of v1 or v2 as `paths` say. With `config.systemd`
// it expects to find the directories made, with a process of ours in them.
std::unique_ptr<Manager> make_file_manager(const configs::Cgroup& config,
                                           std::map<std::string, std::string> paths, Mounts mounts);

}  // namespace hull::cgroups
