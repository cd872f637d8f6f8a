#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libruntime/configs/config.h"
#include "libruntime/configs/resolved.h"
#include "libruntime/system/fd.h"

namespace hull::cgroups {

// Where cgroups are mounted on this host.
struct Hierarchy {
  std::string name;  // runc's key in cgroup_paths: "memory", "name=systemd"; "" is cgroup v2
  std::vector<std::string> controllers;  // those of one v1 mount ("cpu", "cpuacct")
  std::string mount_point;               // "/sys/fs/cgroup/memory"
  std::string mount_root;  // the directory of the hierarchy that is mounted, usually "/"
};

enum class Mode { v1, hybrid, v2 };

// The host's cgroup layout, read once from /proc/self/mountinfo.
struct Layout {
  Mode mode = Mode::v1;
  std::vector<Hierarchy> hierarchies;  // v2: one; hybrid: the v1 ones, then the v2 one
};
Layout read_layout();

// What a new process needs to enter the cgroup by itself, without the RCU wait of cgroup.procs:
// it writes "0" to each of `task_files` (single-threaded, v1), and is born in `unified` by
// CLONE_INTO_CGROUP.
struct Entrance {
  std::vector<std::string> task_files;
  // The memory hierarchy's where memory is limited: entered last, so that what the set-up takes
  // does not count against the container's limit. Else empty, and it is one of task_files.
  std::string memory_task_file;
  Fd unified;  // empty without a v2 hierarchy
};

using Controller = configs::CgroupController;

// The cgroups of one container over all hierarchies. Not thread-safe.
class Manager {
 public:
  virtual ~Manager() = default;

  // The container's directory in each hierarchy, keyed as runc's cgroup_paths ("" is v2). Known
  // before anything is made, so that it can be written down first.
  [[nodiscard]] virtual const std::map<std::string, std::string>& paths() const = 0;
  // Makes the directories (parents too) and applies the limits and device rules. Throws Error, with
  // the field of the config, when a limit can't be set; refuses a cgroup that holds processes or is
  // frozen.
  virtual void create(const configs::Resources& resources) = 0;
  // To be called when the container's first process was born in the cgroup (v2), or is on its way
  // to enter (v1).
  virtual void entered() {}
  // Changes the limits of one that exists; the device rules stay as they are. Limits that are not
  // set are not touched. Throws Error with the field of the first that the kernel refuses; then all
  // are as they were.
  void set(const configs::Resources& resources) { set(resources, {}); }
  // `then` runs with the new limits in force; when it throws, they are taken back as well.
  virtual void set(const configs::Resources& resources, const std::function<void()>& then) = 0;
  // Opens the way in. `create` has run, now or in the past.
  [[nodiscard]] virtual Entrance open_entrance() const = 0;
  // The v1 part of a `cgroup` mount; empty for v2.
  [[nodiscard]] virtual std::vector<Controller> controllers() const = 0;
  // Freezes or thaws and waits until the kernel says so, at most 10 s. Throws Error.
  virtual void freeze(bool frozen) = 0;
  // Whether the cgroup itself was told to freeze: what pause does and resume undoes.
  [[nodiscard]] virtual bool frozen() const = 0;
  // The cgroup that keeps the processes frozen, ours or one above it. Empty when none does.
  [[nodiscard]] virtual std::string frozen_by() const = 0;
  // Thaws what got SIGKILL, so that it takes effect. Gives the cgroup above ours that holds it back
  // all the same; empty when none does.
  virtual std::string thaw_killed() = 0;
  // Host pids of all processes, those of sub-cgroups too. Empty when the cgroup is gone.
  [[nodiscard]] virtual std::vector<pid_t> processes() const = 0;
  // Sends `signal` to every process; SIGKILL by cgroup.kill where there is one. Thaws a frozen v1
  // cgroup after SIGKILL, so that it takes effect.
  virtual void kill(int signal) = 0;
  // Removes the directories, sub-cgroups too; done when they do not exist. Waits for processes that
  // are dying (cgroup.events, pidfds; no fixed sleeps), at most 10 s, then throws Error. Never
  // removes the root of a hierarchy.
  virtual void destroy() = 0;
};

// Of a new container: paths are found from `config` (absolute: from the mount point; relative or
// empty: below the caller's own cgroup, as runc does), or systemd is asked to make the unit.
std::unique_ptr<Manager> make_manager(const configs::Cgroup& config, const Layout& layout);
// Of one in state.json, whoever made it.
std::unique_ptr<Manager> load_manager(const configs::Cgroup& config,
                                      const std::map<std::string, std::string>& paths);

// Removes what there is of a cgroup whose create() failed, but not what others use.
void remove_unused(const Manager& manager);

}  // namespace hull::cgroups
