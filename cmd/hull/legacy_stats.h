#pragma once

#include <string>

#include "libruntime/cgroups/stats.h"

namespace hull::cmd {

// Statistics in the form of `nsinit stats` of 2014, with its misspelt keys; the networks' numbers
// are those of all pairs together.
std::string legacy_stats_json(const cgroups::Stats& stats);

}  // namespace hull::cmd
