#pragma once

#include <map>
#include <string>
#include <vector>

namespace hull::launch {

// The cgroups for `exec --cgroup`: `paths` (the container's, "" is v2) with sub-cgroups
// "[CTRL[,CTRL]:]PATH" put below. A PATH without controllers is for all hierarchies. Throws Error
// on an unknown controller, one named twice, and a path that leaves the container's cgroup.
std::map<std::string, std::string> sub_cgroup_paths(const std::map<std::string, std::string>& paths,
                                                    const std::vector<std::string>& specs);

// Throws Error when one of the directories does not exist.
void require_directories(const std::map<std::string, std::string>& paths);

}  // namespace hull::launch
