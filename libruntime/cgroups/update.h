#pragma once

#include "libruntime/configs/config.h"

// Changing some limits of a container and keeping the others. Pure.
namespace hull::cgroups {

// `old` with what `changes` sets: limits that are not set in it stay, lists are merged by device,
// page size or name. Device rules stay those of `old`. `memory_in_v2`: there a new limit of memory
// alone leaves memory.swap.max as it is, so that the limit of both together moves with it.
configs::Resources updated(const configs::Resources& old, const configs::Resources& changes,
                           bool memory_in_v2);

// What has to be written for `changes`, of which `target` came: with the limits that are one
// setting together with a changed one.
configs::Resources to_write(const configs::Resources& changes, const configs::Resources& target);

}  // namespace hull::cgroups
