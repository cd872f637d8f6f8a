#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "libruntime/configs/config.h"

namespace hull::security {

// Instructions to put before a filter: system calls beyond the largest number that the profile
// names on an architecture return ENOSYS. A profile can't judge calls that are newer than itself,
// and programs fall back to older calls on ENOSYS only, not on the usual EPERM. The same rule as
// runc's. None when the default action lets unknown calls pass or is ENOSYS already.
// `architectures` are libseccomp's tokens (SCMP_ARCH_*) of what the filter covers.
std::vector<sock_filter> enosys_stub(const configs::Seccomp& profile,
                                     const std::vector<uint32_t>& architectures);

}  // namespace hull::security
