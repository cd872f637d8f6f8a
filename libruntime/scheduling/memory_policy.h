#pragma once

#include "libruntime/configs/config.h"

namespace hull::scheduling {

// From which memory nodes the caller and its children are served (set_mempolicy(2),
// config-linux.md#memory-policy). Throws Error.
void set_memory_policy(const configs::MemoryPolicy& policy);

}  // namespace hull::scheduling
