#pragma once

#include <sys/types.h>

#include "libruntime/configs/config.h"

// What a process gets of the CPUs and the disks. `pid` 0 is the caller. Each throws Error.
namespace hull::scheduling {

// Policy, nice value, priority or deadline (sched_setattr(2), config.md#linux-process).
void set_scheduler(pid_t pid, const configs::Scheduler& scheduler);

// ioprio_set(2).
void set_io_priority(pid_t pid, const configs::IoPriority& priority);

}  // namespace hull::scheduling
