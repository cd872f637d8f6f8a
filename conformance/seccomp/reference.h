#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libruntime/configs/config.h"
#include "libruntime/security/syscalls.h"

// What hull's own compiler of seccomp profiles is held against: libseccomp.
namespace hull::conformance {

// The filter that libseccomp makes of a profile, called as runc calls it, for these architectures
// (of one byte order; the profile's own list is not read). Nothing when it refuses the rules.
std::optional<std::vector<sock_filter>> reference_filter(
    const configs::Seccomp& profile, const std::vector<const security::SyscallArch*>& archs);

// The captured default profile of an engine: a file of conformance/profiles.
configs::Seccomp engine_profile(const std::string& name);

}  // namespace hull::conformance
