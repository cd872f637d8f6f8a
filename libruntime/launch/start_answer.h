#pragma once

#include <sys/types.h>

#include "libruntime/state/state.h"
#include "libruntime/system/fd.h"

namespace hull::launch {

// Opens exec.fifo, which lets the waiting init go on, and returns when its program runs. Throws
// Error: what the init (or runc's) answered, or how it ended.
void let_go(const state::Directory& directory, const Fd& init, pid_t init_pid);

}  // namespace hull::launch
