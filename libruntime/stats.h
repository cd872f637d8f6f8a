#pragma once

#include "libruntime/cgroups/oom.h"
#include "libruntime/cgroups/pressure_watch.h"
#include "libruntime/cgroups/stats.h"

namespace hull {

using cgroups::OomWatch;
using cgroups::PressureLevel;
using cgroups::PressureWatch;
using cgroups::Stats;
// runc's form of `events --stats`.
using cgroups::stats_json;

}  // namespace hull
