#pragma once

#include <sys/types.h>

#include "libruntime/system/fd.h"

namespace hull::cgroups {

// A process that only waits: systemd makes a scope around a living process, and takes it away with
// the last one. It ends with this object, or with this process, however that ends.
class Placeholder {
 public:
  // Born in the v2 cgroup `cgroup` (a descriptor of its directory), or in the caller's. Throws
  // Error.
  explicit Placeholder(int cgroup = -1);
  ~Placeholder();
  Placeholder(const Placeholder&) = delete;
  Placeholder& operator=(const Placeholder&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
  Fd hold_;  // the process ends when it closes
};

}  // namespace hull::cgroups
