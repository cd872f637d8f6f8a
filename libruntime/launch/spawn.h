#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "libruntime/cgroups/manager.h"
#include "libruntime/configs/config.h"
#include "libruntime/plan/channel.h"
#include "libruntime/system/fd.h"

namespace hull::launch {

// How hull-init comes into the world.
struct Birth {
  uint64_t new_namespaces = 0;  // CLONE_NEW*
  cgroups::Entrance entrance;   // born in the v2 cgroup, enters the v1 ones first thing
  // To join. A user namespace is joined before the others are made.
  int pid_namespace = -1;
  int user_namespace = -1;
  unsigned preserve_fds = 0;
  std::array<int, 3> streams{-1, -1, -1};  // to become 0, 1, 2; -1: as they are
  std::vector<int> extra_fds;              // to become 3, 4, ...
  // CPUs to run on once in its cgroup; null: all that the cgroup allows.
  const configs::CpuMask* cpus = nullptr;
  // Of a new time namespace, as proc(5)'s timens_offsets takes them; empty: none are set.
  std::string time_offsets;
  // Of a new user namespace; written before anything else happens there.
  const std::vector<configs::IdMap>* uid_mappings = nullptr;
  const std::vector<configs::IdMap>* gid_mappings = nullptr;
  // Called each time that the child has said nothing for a while; what it throws ends the wait.
  std::function<void()> on_silence;
};

struct Child {
  pid_t pid = 0;
  Fd pidfd;
  plan::Channel channel;
};

// One clone3(2), then hull-init by execveat(2). Between the two only raw system calls happen, so a
// program with threads may call this. (A joined user namespace that is to own new ones, and a time
// namespace with offsets, take a second, short-lived process.)
Child spawn(Birth birth);

// Kills it and takes its status. Does not wait long: in a frozen cgroup it dies when that thaws.
void end_child(const Child& child);

// What a `stillborn` message's number says.
Error stillborn_error(int number);

}  // namespace hull::launch
