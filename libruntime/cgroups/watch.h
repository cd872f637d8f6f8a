#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "libruntime/cgroups/cgroup_file.h"
#include "libruntime/system/fd.h"

// Waiting for a cgroup without polling loops.
namespace hull::cgroups {

// cgroup.events of one v2 cgroup.
class EventsFile {
 public:
  explicit EventsFile(const std::string& dir);  // throws Error
  // The content now; empty when the cgroup is gone.
  [[nodiscard]] std::string read() const;
  // Waits until it changes after the last read. False when the deadline passed first.
  [[nodiscard]] bool wait(const Deadline& deadline) const;

 private:
  Fd fd_;
  std::string path_;
};

// Waits until the cgroup and those below it hold no process, or it is gone. False when the deadline
// passed. For v2 only.
bool wait_until_unpopulated(const std::string& dir, const Deadline& deadline);

// Waits until all these processes are dead (pidfd_open(2)). False when the deadline passed.
bool wait_until_dead(const std::vector<pid_t>& pids, const Deadline& deadline);
// The same for open pidfds.
bool wait_until_dead(const std::vector<Fd>& pidfds, const Deadline& deadline);

}  // namespace hull::cgroups
