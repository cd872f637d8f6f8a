#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "libruntime/configs/config.h"

// Writing limits (config-linux.md, "Control groups") into the files of a cgroup. What a version of
// cgroups can't do is an Error with the field of the config; nothing that was asked is left out.
// With `former` the replaced values are kept there.
namespace hull::cgroups {

class FormerLimits;
class LimitFiles;

// `paths` gives the directory of each v1 controller. A controller without one is an Error when a
// limit of it is asked. `unified` is not looked at.
void set_v1_limits(const std::map<std::string, std::string>& paths,
                   const configs::Resources& resources, FormerLimits* former = nullptr);

// `controllers` are those that the cgroup has (cgroup.controllers).
void set_v2_limits(const std::string& dir, const std::vector<std::string>& controllers,
                   const configs::Resources& resources, FormerLimits* former = nullptr);

// Both versions have the same rdma.max: "mlx5_0 hca_handle=2 hca_object=max".
void write_rdma_limits(const LimitFiles& files,
                       const std::map<std::string, configs::RdmaLimit>& limits);

// The conversions from v1's units. Pure.
// cpu.weight for cpu.shares: 2 -> 1, 1024 -> 100, 262144 -> 10000.
uint64_t weight_of_shares(uint64_t shares);
// io.weight (1..10000) for blkio.weight (10..1000), linear.
uint64_t io_weight(uint64_t blkio_weight);
// memory.swap.max for a limit on memory and one on both together (0 not set, -1 none): "" when
// nothing is to be written. Throws Error when the second is below the first.
std::string swap_max(int64_t memory, int64_t memory_and_swap);

}  // namespace hull::cgroups
