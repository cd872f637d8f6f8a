#pragma once

#include <map>
#include <string>

#include "libruntime/system/fd.h"

namespace hull::cgroups {

// v1's levels (memory.txt, "Memory Pressure"): memory is reclaimed; reclaiming gets hard; a lack of
// memory is near. On v2 they are stalls within two seconds (psi.rst): of some process for 140 and
// for 200 ms, of all for 140 ms.
enum class PressureLevel { low, medium, critical };

// Tells when a container's memory gets scarce.
class PressureWatch {
 public:
  // `paths` are runc's cgroup_paths. Throws Error, also when the kernel keeps no such account.
  PressureWatch(const std::map<std::string, std::string>& paths, PressureLevel level);

  // For poll(2): the descriptor, and the event that tells of pressure (POLLIN or POLLPRI). POLLERR:
  // the cgroup is gone.
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] short events() const { return events_; }
  // To be called after an event, so that the next one wakes.
  void clear() const;

 private:
  Fd fd_;
  short events_;
};

}  // namespace hull::cgroups
