#pragma once

#include <vector>

#include "libruntime/cgroups/manager.h"
#include "libruntime/configs/config.h"
#include "libruntime/configs/unit_property.h"

// What systemd must know of a container's cgroup, so that it never writes anything else into the
// files than the runtime did (systemd.resource-control(5)). Pure.
namespace hull::cgroups {

struct LimitProperty {
  configs::UnitProperty property;
  unsigned since = 0;  // systemd's version that knows it
};

// The limits for which there is a property: those of the named fields, then those of the unified
// keys. Values that the kernel will refuse are left for it to refuse.
std::vector<LimitProperty> limit_properties(const configs::Resources& resources, Mode mode);

// DevicePolicy and DeviceAllow. systemd knows no exceptions from what is allowed: where the rules
// have some it is told to allow more than they do, never less, since an access is allowed only if
// both the runtime's filter and systemd's allow it.
std::vector<configs::UnitProperty> device_properties(const std::vector<configs::DeviceRule>& rules);

// A list of CPUs or memory nodes ("0-2,7") as a bit mask, the lowest byte first. Empty for a text
// that is none. Pure.
std::vector<uint8_t> mask_of_list(std::string_view list);

}  // namespace hull::cgroups
