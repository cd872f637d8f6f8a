#pragma once

#include "libruntime/system/fd.h"

namespace hull::launch {

// This program's executable as hull-init may be given it: a detached read-only clone of its own
// mount, or a sealed copy in memory where mounts can't be cloned. Either way a process in the
// container that gets at it through /proc/[pid]/exe can't write to the host's file (CVE-2019-5736).
// Throws Error.
Fd open_init_executable();

}  // namespace hull::launch
