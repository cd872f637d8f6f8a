#pragma once

#include <sys/types.h>

#include "libruntime/cgroups/manager.h"
#include "libruntime/launch/options.h"
#include "libruntime/state/state.h"

// What is written down of a new container, and told to those who asked for it.
namespace hull::launch {

// Of one that has no process yet; `state` has its id and configuration.
void describe(state::State& state, const LaunchOptions& options, const cgroups::Manager& cgroup);
// Adds its init. Throws Error when that has gone.
void describe_init(state::State& state, pid_t pid);

// The pidfd socket and the pid file.
void announce(pid_t pid, int pidfd, const LaunchOptions& options);

}  // namespace hull::launch
