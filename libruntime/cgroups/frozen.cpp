#include "libruntime/cgroups/frozen.h"

#include <csignal>

#include "libruntime/system/log.h"

namespace hull::cgroups {

Error frozen_error(const std::string& what, const std::string& directory) {
  return Error(what + ": cgroup " + quote(directory) + " is frozen").hint("thaw that one");
}

void let_die(Manager& manager) {
  if (const std::string by = manager.thaw_killed(); !by.empty())
    log::warning("the container dies when cgroup " + quote(by) + " thaws: it is frozen");
}

void require_dying(Manager& manager) {
  if (const std::string by = manager.thaw_killed(); !by.empty())
    throw frozen_error("container init still running", by);
}

void kill_all(Manager& manager) {
  manager.kill(SIGKILL);
  require_dying(manager);
}

}  // namespace hull::cgroups
