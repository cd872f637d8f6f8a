#pragma once

#include <vector>

#include "libruntime/cgroups/stats.h"
#include "libruntime/configs/config.h"

namespace hull::network {

// What went over each pair that has an end in the network namespace of the calling thread. Throws
// Error.
std::vector<cgroups::InterfaceStats> read_statistics(const std::vector<configs::Network>& networks);

}  // namespace hull::network
