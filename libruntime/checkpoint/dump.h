#pragma once

#include <vector>

#include "libruntime/checkpoint/options.h"
#include "libruntime/state/state.h"

namespace hull::checkpoint {

// Writes the images of a container that runs or is paused. Afterwards its processes are gone,
// unless the options keep them. `processes` are all of its processes. Throws Error; then the
// container goes on as before.
void dump(const state::State& state, const std::vector<pid_t>& processes,
          const CriuOptions& options);

}  // namespace hull::checkpoint
