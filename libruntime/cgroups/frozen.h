#pragma once

#include <string>

#include "libruntime/cgroups/manager.h"
#include "libruntime/system/error.h"

// What a frozen cgroup means for those who want something of its processes.
namespace hull::cgroups {

// "WHAT: cgroup DIRECTORY is frozen".
Error frozen_error(const std::string& what, const std::string& directory);

// After SIGKILL: lets it take effect. The first warns, and the second throws Error, when a frozen
// cgroup above holds it back.
void let_die(Manager& manager);
void require_dying(Manager& manager);

// SIGKILL to all processes. Throws Error when they can't die because a cgroup above is frozen.
void kill_all(Manager& manager);

}  // namespace hull::cgroups
