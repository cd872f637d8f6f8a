#include "libruntime/cgroups/manager.h"

#include <utility>

#include "libruntime/cgroups/directories.h"
#include "libruntime/cgroups/file_manager.h"
#include "libruntime/cgroups/limit_groups.h"
#include "libruntime/cgroups/paths.h"
#include "libruntime/cgroups/systemd.h"
#include "libruntime/cgroups/v1.h"
#include "libruntime/cgroups/v2.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::cgroups {

std::unique_ptr<Manager> make_file_manager(const configs::Cgroup& config,
                                           std::map<std::string, std::string> paths,
                                           Mounts mounts) {
  const bool v2 = paths.size() == 1 && paths.begin()->first.empty();
  if (v2) return std::make_unique<V2Manager>(config, std::move(paths), std::move(mounts));
  return std::make_unique<V1Manager>(config, std::move(paths), std::move(mounts));
}

namespace {

// Of a container that stays where its caller is.
std::unique_ptr<Manager> make_no_manager(const configs::Cgroup& config, const Layout& layout) {
  const std::vector<const LimitGroup*> asked = asked_groups(config.resources);
  if (!asked.empty() || !config.resources.unified.empty())
    throw Error("cgroups are disabled: no limit can be set")
        .field(asked.empty() ? "/linux/resources/unified" : asked.front()->field);
  configs::Cgroup nothing;
  nothing.rootless = true;  // who may lack any cgroup
  return std::make_unique<V1Manager>(nothing, std::map<std::string, std::string>(), Mounts(layout));
}

}  // namespace

std::unique_ptr<Manager> make_manager(const configs::Cgroup& config, const Layout& layout) {
  if (config.disabled) return make_no_manager(config, layout);
  if (config.systemd) return std::make_unique<SystemdManager>(config, layout);
  const std::string own = relative_to_own(config) ? read_file("/proc/self/cgroup") : "";
  return make_file_manager(config, container_paths(config, layout, own), Mounts(layout));
}

std::unique_ptr<Manager> load_manager(const configs::Cgroup& config,
                                      const std::map<std::string, std::string>& paths) {
  if (config.systemd) return std::make_unique<SystemdManager>(config, paths);
  return make_file_manager(config, paths, Mounts());
}

}  // namespace hull::cgroups
