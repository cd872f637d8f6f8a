#include "libruntime/cgroups/v1.h"

#include <fcntl.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "libruntime/cgroups/cgroup_file.h"
#include "libruntime/cgroups/freezer.h"
#include "libruntime/cgroups/layout.h"
#include "libruntime/cgroups/tree.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::cgroups {
namespace {

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ",") + name;
  return out;
}

}  // namespace

V1Manager::V1Manager(const configs::Cgroup& config, std::map<std::string, std::string> paths,
                     Mounts mounts)
    : paths_(std::move(paths)),
      mounts_(std::move(mounts)),
      rootless_(config.rootless),
      path_given_(!config.path.empty()),
      memory_is_limited_(config.resources.memory != 0 || config.resources.memory_swap != 0),
      adopted_(config.systemd) {}

std::string V1Manager::path_of(std::string_view key) const {
  const auto found = paths_.find(std::string(key));
  return found == paths_.end() ? "" : found->second;
}

std::string V1Manager::main_path() const {
  static constexpr std::array<std::string_view, 5> kPreferred{"devices", "freezer", "pids",
                                                              "memory", "name=systemd"};
  for (const std::string_view key : kPreferred)
    if (std::string path = path_of(key); !path.empty()) return path;
  return paths_.empty() ? "" : paths_.begin()->second;
}

std::set<std::string> V1Manager::directories() const {
  std::set<std::string> out;
  for (const auto& [key, path] : paths_) out.insert(path);
  return out;
}

Entrance V1Manager::open_entrance() const {
  Entrance entrance;
  const std::string unified = path_of("");
  const std::string memory = path_of("memory");
  for (const std::string& dir : directories()) {
    if (dir == memory && memory_is_limited_) {
      entrance.memory_task_file = dir + "/tasks";
    } else if (dir == unified) {
      entrance.unified = open_or_throw(AT_FDCWD, dir, O_PATH | O_DIRECTORY);
    } else {
      entrance.task_files.push_back(dir + "/tasks");
    }
  }
  return entrance;
}

std::vector<Controller> V1Manager::controllers() const {
  std::vector<Controller> out;
  for (const Hierarchy& hierarchy : mounts_.layout().hierarchies) {
    const std::string path = path_of(hierarchy.name);
    if (hierarchy.name.empty() || path.empty()) continue;
    Controller one{base_name(hierarchy.mount_point), path, joined(hierarchy.controllers), {}};
    if (one.options.empty()) one.options = hierarchy.name;
    for (const std::string& link : hierarchy.controllers)
      if (link != one.name) one.links.push_back(link);
    out.push_back(std::move(one));
  }
  return out;
}

void V1Manager::freeze(bool frozen) {
  const std::string v1 = path_of("freezer");
  const std::string dir = v1.empty() ? path_of("") : v1;
  if (dir.empty()) throw Error("cannot pause or resume: the freezer controller is not mounted");
  mounts_.require_inside(dir);
  v1.empty() ? freeze_v2(dir, frozen) : freeze_v1(dir, frozen);
}

bool V1Manager::frozen() const {
  if (const std::string dir = path_of("freezer"); !dir.empty()) return frozen_v1(dir);
  const std::string unified = path_of("");
  return !unified.empty() && frozen_v2(unified);
}

std::string V1Manager::frozen_by() const {
  const std::string freezer = path_of("freezer");
  if (std::string by = freezer.empty() ? "" : frozen_by_v1(freezer); !by.empty()) return by;
  const std::string unified = path_of("");
  return unified.empty() ? "" : frozen_by_v2(unified);
}

// A frozen process dies when it thaws, not before.
std::string V1Manager::thaw_killed() {
  const std::string freezer = path_of("freezer");
  if (freezer.empty() || !would_freeze_v1(freezer)) return {};
  if (const int code = try_write(freezer, "freezer.state", "THAWED"); code != 0 && code != ENOENT)
    throw Error("cannot thaw cgroup " + quote(freezer), "write", code);
  return frozen_by_v1(freezer);
}

std::vector<pid_t> V1Manager::processes() const {
  const std::string dir = main_path();
  return dir.empty() ? std::vector<pid_t>{} : processes_below(dir);
}

// All at once, forks or not, where the kernel and the host have it.
bool V1Manager::kill_unified() const {
  const std::string dir = path_of("");
  return !dir.empty() && try_write(dir, "cgroup.kill", "1") == 0;
}

void V1Manager::kill(int signal) {
  std::set<std::string> dirs;
  for (const std::string& dir : directories()) {
    require_clean(dir);
    if (!directory_exists(dir)) continue;
    mounts_.require_inside(dir);
    dirs.insert(dir);
  }
  const std::string main = main_path();
  if (signal != SIGKILL) {
    if (dirs.contains(main)) signal_below(main, signal);
    return;
  }
  kill_unified();
  const std::string freezer = path_of("freezer");
  if (!freezer.empty() && would_freeze_v1(freezer)) {
    for (const std::string& dir : dirs) signal_listed(dir, SIGKILL);
    // Frozen by a parent they don't die, however long one waits.
    if (!thaw_killed().empty()) return;
  }
  // All of them: a process that died half-way into the container may be in some hierarchies only.
  for (const std::string& dir : dirs) signal_below(dir, SIGKILL);
  if (freezer.empty() || processes_below(main).empty()) return;
  // They fork faster than they are killed: hold them for a moment.
  if (try_write(freezer, "freezer.state", "FROZEN") != 0) return;
  signal_listed(main, SIGKILL);
  if (thaw_killed().empty()) signal_below(main, SIGKILL);
}

void V1Manager::destroy() { remove_all(directories(), mounts_); }

}  // namespace hull::cgroups
