#pragma once

#include <string>
#include <vector>

#include "libruntime/configs/config.h"
#include "libruntime/launch/options.h"
#include "libruntime/plan/plan.h"
#include "libruntime/system/fd.h"

namespace hull::launch {

// Namespaces that a container joins, opened and checked to be of their type.
struct JoinedNamespaces {
  std::vector<configs::NamespaceType> types;  // those that hull-init joins itself
  std::vector<Fd> fds;
  Fd pid;   // joined by the launcher, for its child
  Fd user;  // a copy, when other namespaces are to be made inside it
};

// Throws Error with /linux/namespaces/N/path.
JoinedNamespaces open_namespaces(const configs::Config& config);

// CLONE_NEW* of the namespaces to make with the clone; the cgroup namespace comes later, in
// hull-init.
uint64_t new_namespaces(const configs::Config& config);

// The part of the Plan that configuration alone decides. `process` may be null.
plan::Plan plan_container(const configs::Config& config, const configs::Process* process,
                          const std::string& id, const LaunchOptions& options);
plan::Plan plan_exec(const configs::Config& config, const configs::Process& process,
                     const std::string& id, const LaunchOptions& options);

// Descriptors to hand through: what the caller asked for and its LISTEN_FDS. Throws Error
// "unable to stat preserved-fd I (of N)".
unsigned preserved_fds(const LaunchOptions& options);

// The IDs on the host of the container's user 0 and group 0.
uint32_t host_id(const std::vector<configs::IdMap>& maps, uint32_t container_id);

}  // namespace hull::launch
