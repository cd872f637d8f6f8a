#include "libruntime/cgroups/v2.h"

#include <fcntl.h>
#include <signal.h>

#include <cerrno>

#include "libruntime/cgroups/cgroup_file.h"
#include "libruntime/cgroups/delegate.h"
#include "libruntime/cgroups/device_program.h"
#include "libruntime/cgroups/freezer.h"
#include "libruntime/cgroups/layout.h"
#include "libruntime/cgroups/limit_files.h"
#include "libruntime/cgroups/limit_groups.h"
#include "libruntime/cgroups/limits.h"
#include "libruntime/cgroups/subtree_control.h"
#include "libruntime/cgroups/tree.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/log.h"

namespace hull::cgroups {
namespace {

using configs::Resources;

// The mount point that `dir` is below.
std::string root_of(const Layout& layout, const std::string& dir) {
  const Hierarchy* hierarchy = find_hierarchy(layout, "");
  if (hierarchy == nullptr || !inside_hierarchy(layout, dir))
    throw Error(quote(dir) + " is not below the mount point of cgroup v2")
        .field("/linux/cgroupsPath");
  return hierarchy->mount_point;
}

bool asks_for_limits(const Resources& resources) {
  return !asked_groups(resources).empty() || !resources.unified.empty();
}

}  // namespace

V2Manager::V2Manager(const configs::Cgroup& config, std::map<std::string, std::string> paths,
                     Mounts mounts)
    : paths_(std::move(paths)),
      mounts_(std::move(mounts)),
      rootless_(config.rootless),
      path_given_(!config.path.empty()),
      adopted_(config.systemd),
      owner_(config.owner_uid) {
  if (const auto path = paths_.find(""); path != paths_.end()) dir_ = path->second;
}

void V2Manager::create(const Resources& resources) {
  NewDirectories made;
  try {
    create_steps(resources, made);
  } catch (Error& e) {
    e.set_stage("creating the cgroup");
    throw;
  }
  made.keep();
}

void V2Manager::create_steps(const Resources& resources, NewDirectories& made) {
  const std::string root = root_of(mounts_.layout(), dir_);
  if (const int code = made.make(dir_); code != 0 && code != EEXIST) {
    // Without privileges, and when nobody asked for this very cgroup, the container may do without.
    if (!rootless_ || path_given_ || !is_permission_error(code)) throw_make_error(dir_, code);
    if (asks_for_limits(resources))
      throw Error(
          "rootless needs no limits + no cgrouppath when no permission is granted for cgroups",
          "mkdir", code)
          .field("/linux/resources");
    paths_.clear();
    dir_.clear();
    return;
  }
  const bool fresh = made.made(dir_);
  check_usable(fresh);
  const std::vector<std::string> controllers =
      enable_controllers(root, dir_, Enable::all, needed_v2_controllers(resources));
  set_devices(resources, fresh);
  set_v2_limits(dir_, controllers, resources);
  give_to_owner();
}

// Without privileges a cgroup can't be given to an ID that newuidmap granted: the container does
// without.
void V2Manager::give_to_owner() const {
  if (!owner_) return;
  try {
    delegate_cgroup(dir_, *owner_);
  } catch (const Error& e) {
    if (!rootless_ || e.code() != EPERM) throw;
    log::debug(e.what());
  }
}

void V2Manager::set(const Resources& resources, const std::function<void()>& then) {
  FormerLimits::guard([&](FormerLimits& former) {
    set_v2_limits(dir_, read_words(dir_, "cgroup.controllers"), resources, &former);
    if (then) then();
  });
}

// "frozen" is true also of a cgroup that is in a frozen one.
void V2Manager::check_usable(bool fresh) const {
  const std::string events = read_value(dir_, "cgroup.events").value_or("");
  if (!fresh && !adopted_ && has_line(events, "populated 1")) require_empty(dir_);
  if (has_line(events, "frozen 1") || (!fresh && frozen_v2(dir_))) throw_frozen(dir_);
}

void V2Manager::set_devices(const Resources& resources, bool fresh) const {
  try {
    set_v2_devices(dir_, resources.devices, fresh);
  } catch (const Error& e) {
    if (!may_lack_devices(rootless_, e.code())) throw;
  }
}

Entrance V2Manager::open_entrance() const {
  Entrance entrance;
  if (!dir_.empty()) entrance.unified = open_or_throw(AT_FDCWD, dir_, O_PATH | O_DIRECTORY);
  return entrance;
}

void V2Manager::freeze(bool frozen) {
  if (dir_.empty()) throw Error("cannot pause or resume: the container has no cgroup");
  mounts_.require_inside(dir_);
  freeze_v2(dir_, frozen);
}

bool V2Manager::frozen() const { return !dir_.empty() && frozen_v2(dir_); }

std::string V2Manager::frozen_by() const { return dir_.empty() ? "" : frozen_by_v2(dir_); }

// SIGKILL takes effect in a frozen cgroup, too.
std::string V2Manager::thaw_killed() { return {}; }

std::vector<pid_t> V2Manager::processes() const {
  return dir_.empty() ? std::vector<pid_t>{} : processes_below(dir_);
}

void V2Manager::kill(int signal) {
  if (dir_.empty()) return;
  require_clean(dir_);
  if (!directory_exists(dir_)) return;
  mounts_.require_inside(dir_);
  if (signal != SIGKILL) return signal_below(dir_, signal);
  const int code = try_write(dir_, "cgroup.kill", "1");
  if (code == 0 || !directory_exists(dir_)) return;
  // Before Linux 5.14 there is no such file; a threaded cgroup refuses.
  if (code != ENOENT && code != EOPNOTSUPP)
    throw Error("cannot kill the processes of cgroup " + quote(dir_), "write", code);
  kill_one_by_one();
}

void V2Manager::kill_one_by_one() const {
  signal_below(dir_, SIGKILL);
  if (processes_below(dir_).empty()) return;
  // They fork faster than they are killed: hold them for a moment. SIGKILL works on frozen ones.
  if (try_write(dir_, "cgroup.freeze", "1") != 0) return;
  try {
    signal_below(dir_, SIGKILL);
  } catch (...) {
    try_write(dir_, "cgroup.freeze", "0");
    throw;
  }
  write_value(dir_, "cgroup.freeze", "0", "");
}

void V2Manager::destroy() {
  if (!dir_.empty()) remove_all({dir_}, mounts_);
}

}  // namespace hull::cgroups
