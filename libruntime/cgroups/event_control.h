#pragma once

#include <string>
#include <string_view>

#include "libruntime/system/fd.h"

namespace hull::cgroups {

// An eventfd (non-blocking) that a v1 cgroup counts up when `file` has news: cgroup.event_control
// (memory.txt, "Notifications"). The removal of the cgroup is news as well. Throws Error.
Fd register_event(const std::string& dir, std::string_view file, std::string_view arguments);

}  // namespace hull::cgroups
