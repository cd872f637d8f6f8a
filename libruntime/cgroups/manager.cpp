#include "libruntime/cgroups/manager.h"

#include <utility>

#include "libruntime/cgroups/directories.h"
#include "libruntime/cgroups/paths.h"
#include "libruntime/cgroups/v1.h"
#include "libruntime/cgroups/v2.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::cgroups {
namespace {

std::unique_ptr<Manager> manager_for(const configs::Cgroup& config,
                                     std::map<std::string, std::string> paths, Mounts mounts) {
  const bool v2 = paths.size() == 1 && paths.begin()->first.empty();
  if (v2) return std::make_unique<V2Manager>(config, std::move(paths), std::move(mounts));
  return std::make_unique<V1Manager>(config, std::move(paths), std::move(mounts));
}

}  // namespace

std::unique_ptr<Manager> make_manager(const configs::Cgroup& config, const Layout& layout) {
  if (config.systemd)
    throw Error("the systemd cgroup driver is not available here").field("/linux/cgroupsPath");
  const std::string own = relative_to_own(config) ? read_file("/proc/self/cgroup") : "";
  return manager_for(config, container_paths(config, layout, own), Mounts(layout));
}

std::unique_ptr<Manager> load_manager(const configs::Cgroup& config,
                                      const std::map<std::string, std::string>& paths) {
  return manager_for(config, paths, Mounts());
}

}  // namespace hull::cgroups
