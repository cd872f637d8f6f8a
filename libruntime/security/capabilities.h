#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libruntime/configs/config.h"
#include "libruntime/configs/resolved.h"

// Capabilities of the container's process (capabilities(7), config.md#linux-process). The kernel is
// called directly: libcap's constructor costs some ten system calls in every process that has it.
namespace hull::security {

// All names that we know ("CAP_CHOWN"); the index is the capability's number.
std::span<const std::string_view> capability_names();

// The highest capability that the running kernel has (its cap_last_cap).
unsigned last_capability();

// The names, in any case, as a bit mask. Those that nobody knows are appended to `unknown`, once
// each.
uint64_t capability_mask(const std::vector<std::string>& names, std::vector<std::string>& unknown);

// The launcher's side: what of a configuration can be granted; the rest is left out with a warning,
// as config.md#linux-process asks. That is: unknown names, what the kernel lacks, what this process
// does not hold itself (in a user namespace, new or joined, everything is held), and what
// capset(2) would refuse: effective beyond permitted, inheritable beyond bounding, ambient beyond
// permitted and inheritable. Throws Error.
configs::CapabilityMasks to_masks(const configs::Capabilities& capabilities,
                                  bool in_user_namespace = false);

// hull-init's side, in this order, as the first with CAP_SETPCAP: removes what is not in
// masks.bounding from the bounding set, also capabilities newer than this source. Throws Error.
void drop_bounding(const configs::CapabilityMasks& masks);
// Whether the permitted set outlives setuid(2) from 0 to another user. Throws Error.
void keep_over_setuid(bool keep);
// Sets permitted, effective, inheritable, then ambient. What this process turns out not to hold is
// left out with a warning. Throws Error.
void apply(const configs::CapabilityMasks& masks);

}  // namespace hull::security
