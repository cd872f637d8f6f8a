#pragma once

#include <sys/types.h>

#include <functional>

#include "libruntime/state/state.h"
#include "libruntime/system/fd.h"

namespace hull::launch {

// Opens exec.fifo, which lets the waiting init go on, and returns when its program runs. Throws
// Error: what the init (or runc's) answered, or how it ended. `on_silence` is called each time that
// nothing has happened for a while; what it throws ends the wait.
void let_go(const state::Directory& directory, const Fd& init, pid_t init_pid,
            const std::function<void()>& on_silence);

}  // namespace hull::launch
