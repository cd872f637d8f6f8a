#pragma once

#include <functional>

#include "cmd/hull/bundle.h"
#include "cmd/hull/command.h"
#include "libruntime/container.h"

namespace hull::cmd {

// Brings a container that is only claimed to life, with `process` as its init.
using RunContainer = std::function<void(Container& container, Process& process)>;

// `run` and `restore`: the container from its beginning to its end, or, detached, to its beginning.
// Returns the exit status. The command must have the options that load_bundle reads, "detach",
// "keep" and "no-subreaper".
int run_bundle(const Context& context, const RunContainer& run_container);

}  // namespace hull::cmd
