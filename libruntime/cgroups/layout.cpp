#include "libruntime/cgroups/layout.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>

#include "libruntime/system/files.h"
#include "libruntime/system/mountinfo.h"
#include "libruntime/system/text.h"

namespace hull::cgroups {
namespace {

constexpr std::string_view kRoot = "/sys/fs/cgroup";
constexpr std::string_view kUnified = "/sys/fs/cgroup/unified";

// The v1 controllers that runc knows, hence the keys of cgroup_paths.
constexpr std::array<std::string_view, 14> kControllers{
    "cpuset",  "devices", "memory",   "cpu",        "cpuacct", "pids", "blkio",
    "hugetlb", "net_cls", "net_prio", "perf_event", "freezer", "rdma", "misc"};
constexpr std::string_view kNamed = "name=systemd";

// The keys of one v1 mount, from its super block's options ("rw,xattr,cpu,cpuacct").
std::vector<std::string> keys_of(const MountInfo& mount) {
  std::vector<std::string> keys;
  for (const std::string_view option : split(mount.super_options, ','))
    if (option == kNamed || std::ranges::find(kControllers, option) != kControllers.end())
      keys.emplace_back(option);
  return keys;
}

Hierarchy v1_hierarchy(const MountInfo& mount) {
  Hierarchy out;
  out.mount_point = mount.mount_point;
  out.mount_root = mount.root;
  for (std::string& key : keys_of(mount)) {
    if (out.name.empty()) out.name = key;
    if (key != kNamed) out.controllers.push_back(std::move(key));
  }
  return out;
}

Hierarchy v2_hierarchy(const MountInfo& mount) { return {"", {}, mount.mount_point, mount.root}; }

// The v1 hierarchies; of one that is mounted several times the mount below /sys/fs/cgroup is taken,
// or the first.
std::vector<Hierarchy> v1_hierarchies(const std::vector<MountInfo>& mounts) {
  std::vector<Hierarchy> out;
  for (const MountInfo& mount : mounts) {
    if (mount.fs_type != "cgroup") continue;
    Hierarchy found = v1_hierarchy(mount);
    if (found.name.empty()) continue;
    const auto known = std::ranges::find(out, found.name, &Hierarchy::name);
    if (known == out.end()) {
      out.push_back(std::move(found));
    } else if (!path_is_below(known->mount_point, kRoot) &&
               path_is_below(found.mount_point, kRoot)) {
      *known = std::move(found);
    }
  }
  return out;
}

// The usual v2 host in two system calls, without the list of all its mounts, which is long on a
// host with many containers. The root of the hierarchy has inode number 1; of anything else only
// mountinfo tells which directory it is.
bool plain_v2(Layout& out) {
  struct statfs fs {};
  struct stat root {};
  if (statfs(kRoot.data(), &fs) != 0 || fs.f_type != CGROUP2_SUPER_MAGIC) return false;
  if (stat(kRoot.data(), &root) != 0 || root.st_ino != 1) return false;
  out.mode = Mode::v2;
  out.hierarchies = {Hierarchy{"", {}, std::string(kRoot), "/"}};
  return true;
}

}  // namespace

Layout parse_layout(std::string_view mountinfo) {
  const std::vector<MountInfo> mounts = parse_mountinfo(mountinfo);
  const MountInfo* root = nullptr;
  const MountInfo* unified = nullptr;
  const MountInfo* elsewhere = nullptr;
  for (const MountInfo& mount : mounts) {
    if (mount.mount_point == kRoot) root = &mount;  // the last one covers those before it
    if (mount.fs_type != "cgroup2") continue;
    if (mount.mount_point == kUnified) unified = &mount;
    if (elsewhere == nullptr) elsewhere = &mount;
  }
  Layout out;
  if (root != nullptr && root->fs_type == "cgroup2") {
    out.mode = Mode::v2;
    out.hierarchies = {v2_hierarchy(*root)};
    return out;
  }
  out.hierarchies = v1_hierarchies(mounts);
  if (out.hierarchies.empty() && elsewhere != nullptr) {
    out.mode = Mode::v2;
    out.hierarchies = {v2_hierarchy(*elsewhere)};
  } else if (unified != nullptr) {
    out.mode = Mode::hybrid;
    out.hierarchies.push_back(v2_hierarchy(*unified));
  }
  return out;
}

Layout read_layout() {
  Layout out;
  if (plain_v2(out)) return out;
  return parse_layout(read_file("/proc/self/mountinfo"));
}

const Hierarchy* find_hierarchy(const Layout& layout, std::string_view key) {
  for (const Hierarchy& one : layout.hierarchies)
    if (one.name == key || std::ranges::find(one.controllers, key) != one.controllers.end())
      return &one;
  return nullptr;
}

bool inside_hierarchy(const Layout& layout, std::string_view path) {
  if (!path.starts_with('/') || clean_path(path) != path) return false;
  // The innermost mount decides: "/sys/fs/cgroup/unified" lies below "/sys/fs/cgroup" but is a
  // root.
  const Hierarchy* innermost = nullptr;
  for (const Hierarchy& one : layout.hierarchies)
    if (path_is_below(path, one.mount_point) &&
        (innermost == nullptr || one.mount_point.size() > innermost->mount_point.size()))
      innermost = &one;
  return innermost != nullptr && path != innermost->mount_point;
}

}  // namespace hull::cgroups
