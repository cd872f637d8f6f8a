#include <algorithm>
#include <cerrno>

#include "libruntime/cgroups/cgroup_file.h"
#include "libruntime/cgroups/device_program.h"
#include "libruntime/cgroups/device_rules.h"
#include "libruntime/cgroups/freezer.h"
#include "libruntime/cgroups/layout.h"
#include "libruntime/cgroups/limit_files.h"
#include "libruntime/cgroups/limit_groups.h"
#include "libruntime/cgroups/limits.h"
#include "libruntime/cgroups/subtree_control.h"
#include "libruntime/cgroups/v1.h"
#include "libruntime/system/error.h"

namespace hull::cgroups {
namespace {

using configs::Resources;

std::string parent_of(const std::string& dir) { return dir.substr(0, dir.rfind('/')); }

// The value of a cpuset file, taken from the parents where it is empty: such a cgroup can hold no
// process, and its children can get no value (cpusets(7)).
std::string filled(const std::string& dir, std::string_view file, const std::string& root) {
  std::string value = read_value(dir, file).value_or("");
  if (!value.empty() || dir == root || dir.size() <= 1) return value;
  value = filled(parent_of(dir), file, root);
  write_value(dir, file, value, "/linux/cgroupsPath");
  return value;
}

}  // namespace

void V1Manager::create(const Resources& resources) {
  NewDirectories made;
  try {
    if (paths_.empty() && !rootless_)
      throw Error("no cgroup hierarchy is mounted").hint("mount cgroup2 at /sys/fs/cgroup");
    make_directories(made);
    check_existing(made);
    fill_cpuset(resources, made);
    set_devices(resources, made);
    set_limits(resources, nullptr);
  } catch (Error& e) {
    e.set_stage("creating the cgroup");
    throw;
  }
  made.keep();
}

// Without privileges, and when nobody asked for this very cgroup, the container may do without.
bool V1Manager::may_skip(int code) const {
  return rootless_ && !path_given_ && is_permission_error(code);
}

void V1Manager::forget(const std::string& dir) {
  for (const auto& [key, path] : paths_)
    if (path == dir) skipped_.insert(key);
  std::erase_if(paths_, [&](const auto& one) { return one.second == dir; });
}

void V1Manager::make_directories(NewDirectories& made) {
  for (const std::string& dir : directories()) {
    const int code = made.make(dir);
    if (code == 0 || code == EEXIST) continue;
    if (!may_skip(code)) throw_make_error(dir, code);
    forget(dir);
  }
}

// What this call made is empty. It may be frozen all the same, by a parent.
void V1Manager::check_existing(const NewDirectories& made) const {
  for (const std::string& dir : directories())
    if (!adopted_ && !made.made(dir)) require_empty(dir);
  const std::string freezer = path_of("freezer");
  // The root of a hierarchy is never frozen, so what was made right below it isn't either.
  const Hierarchy* hierarchy = find_hierarchy(mounts_.layout(), "freezer");
  const bool below_root = hierarchy != nullptr && made.made(freezer) &&
                          freezer.substr(0, freezer.rfind('/')) == hierarchy->mount_point &&
                          hierarchy->mount_root == "/";
  if (!freezer.empty() && !below_root && would_freeze_v1(freezer)) throw_frozen(freezer);
  const std::string unified = path_of("");
  if (!unified.empty() && !made.made(unified) && frozen_v2(unified)) throw_frozen(unified);
}

void V1Manager::fill_cpuset(const Resources& resources, const NewDirectories& made) const {
  const std::string dir = path_of("cpuset");
  if (dir.empty()) return;
  const Hierarchy* hierarchy = find_hierarchy(mounts_.layout(), "cpuset");
  const std::string root = hierarchy != nullptr ? hierarchy->mount_point : "/";
  const auto fill = [&](std::string_view file, const std::string& limit) {
    if (!made.made(dir) && limit.empty()) {
      filled(dir, file, root);
      return;
    }
    const std::string value = filled(parent_of(dir), file, root);
    if (limit.empty()) write_value(dir, file, value, "/linux/cgroupsPath");
  };
  fill("cpuset.cpus", resources.cpuset_cpus);
  fill("cpuset.mems", resources.cpuset_mems);
}

void V1Manager::set_devices(const Resources& resources, const NewDirectories& made) const {
  try {
    if (const std::string dir = path_of("devices"); !dir.empty())
      return set_v1_devices(dir, resources.devices, made.made(dir));
    if (skipped_.contains("devices") || allows_everything(resources.devices)) return;
    if (const std::string unified = path_of(""); !unified.empty())
      return set_v2_devices(unified, resources.devices, made.made(unified));
  } catch (const Error& e) {
    if (may_lack_devices(rootless_, e.code())) return;
    throw;
  }
  if (rootless_) return;
  throw Error("the devices controller is not mounted").field("/linux/resources/devices");
}

void V1Manager::set(const Resources& resources, const std::function<void()>& then) {
  FormerLimits::guard([&](FormerLimits& former) {
    set_limits(resources, &former);
    if (then) then();
  });
}

void V1Manager::set_limits(const Resources& resources, FormerLimits* former) const {
  const std::vector<const LimitGroup*> groups = asked_groups(resources);
  if (groups.empty() && resources.unified.empty()) return;
  for (const LimitGroup* group : groups)
    if (skipped_.contains(std::string(group->v1)))
      throw Error("cannot set " + std::string(group->v1) +
                  " limit: container could not join or create cgroup")
          .field(group->field);
  const std::string unified = path_of("");
  const Hierarchy* v2 = unified.empty() ? nullptr : find_hierarchy(mounts_.layout(), "");
  std::vector<std::string> v2_controllers;
  if (v2 != nullptr) v2_controllers = read_words(v2->mount_point, "cgroup.controllers");
  const auto in_v2 = [&](std::string_view name) {
    return !name.empty() && std::ranges::count(v2_controllers, name) > 0;
  };

  Resources v1_part;
  Resources v2_part;
  for (const LimitGroup* group : groups) {
    const bool here = paths_.contains(std::string(group->v1)) || !in_v2(group->v2);
    group->copy(resources, here ? v1_part : v2_part);
  }
  set_v1_limits(paths_, v1_part, former);
  for (const auto& [file, value] : resources.unified) {
    const std::string_view controller = controller_of(file);
    if (v2 == nullptr || (controller != "cgroup" && !in_v2(controller)))
      throw Error("invalid configuration: cannot use unified on cgroup v1")
          .field("/linux/resources/unified/" + file);
  }
  v2_part.unified = resources.unified;
  const std::vector<NeededController> needed = needed_v2_controllers(v2_part);
  if (needed.empty() && v2_part.unified.empty()) return;
  set_v2_limits(unified, enable_controllers(v2->mount_point, unified, Enable::needed, needed),
                v2_part, former);
}

}  // namespace hull::cgroups
