#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "libruntime/configs/names.h"
#include "libruntime/system/syscalls.h"

// Enums of config.json that only specconv knows, with the kernel's numbers. Those that other rooms
// share are in libruntime/configs/names.h.
namespace hull::specconv {

using configs::NumberName;

// personality(2)
inline constexpr std::array kPersonalities{NumberName{"LINUX", 0}, NumberName{"LINUX32", 8}};

// set_mempolicy(2)
inline constexpr std::array kMemoryPolicyModes{
    NumberName{"MPOL_BIND", 2},
    NumberName{"MPOL_DEFAULT", 0},
    NumberName{"MPOL_INTERLEAVE", 3},
    NumberName{"MPOL_LOCAL", 4},
    NumberName{"MPOL_PREFERRED", 1},
    NumberName{"MPOL_PREFERRED_MANY", 5},
    NumberName{"MPOL_WEIGHTED_INTERLEAVE", 6},
};

inline constexpr std::array kMemoryPolicyFlags{
    NumberName{"MPOL_F_NUMA_BALANCING", 1 << 13},
    NumberName{"MPOL_F_RELATIVE_NODES", 1 << 14},
    NumberName{"MPOL_F_STATIC_NODES", 1 << 15},
};

// linux.rootfsPropagation
struct PropagationName {
  std::string_view name;
  uint64_t flags;
};

inline constexpr std::array kPropagations{
    PropagationName{"private", MS_PRIVATE},
    PropagationName{"rprivate", MS_PRIVATE | MS_REC},
    PropagationName{"rshared", MS_SHARED | MS_REC},
    PropagationName{"rslave", MS_SLAVE | MS_REC},
    PropagationName{"runbindable", MS_UNBINDABLE | MS_REC},
    PropagationName{"shared", MS_SHARED},
    PropagationName{"slave", MS_SLAVE},
    PropagationName{"unbindable", MS_UNBINDABLE},
};

// The hooks of config.md#posix-platform-hooks, in the order in which they run.
inline constexpr std::array<std::string_view, 6> kHookNames{
    "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"};

}  // namespace hull::specconv
