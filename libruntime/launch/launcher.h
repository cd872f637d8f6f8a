#pragma once

#include <string>

#include "libruntime/cgroups/manager.h"
#include "libruntime/configs/config.h"
#include "libruntime/launch/options.h"
#include "libruntime/state/state.h"

namespace hull::launch {

// A container to be made. References live until create_container returns.
struct Request {
  state::State& state;              // its id and config are given; the rest is filled in
  const configs::Process* process;  // null: none in the configuration
  const LaunchOptions& options;
  state::Directory& directory;  // claimed and locked
  bool start_now;               // the user's program runs when this returns; no exec.fifo
};

// From the configuration to a waiting (or, with start_now, running) container. When it fails
// nothing is left, not even the state directory: that stays only with something that can't be
// removed.
void create_container(const Request& request, Started& started);

// Another process in a running container.
Started exec_process(const state::State& state, const configs::Process& process,
                     const LaunchOptions& options);

}  // namespace hull::launch
