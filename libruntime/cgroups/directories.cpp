#include "libruntime/cgroups/directories.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "libruntime/cgroups/cgroup_file.h"
#include "libruntime/cgroups/layout.h"
#include "libruntime/cgroups/manager.h"
#include "libruntime/cgroups/tree.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/log.h"
#include "libruntime/system/text.h"

namespace hull::cgroups {
namespace {

constexpr mode_t kMode = 0755;
constexpr std::string_view kField = "/linux/cgroupsPath";

// A path that even unread mounts say is one of a cgroup: rmdir(2) on it can at worst fail.
bool plainly_cgroup(const std::string& path) {
  constexpr std::string_view kRoot = "/sys/fs/cgroup/";
  return path.starts_with(kRoot) && path.size() > kRoot.size();
}

bool in_user_namespace() {
  const auto map = read_file_if_exists("/proc/self/uid_map");
  if (!map) return false;
  std::vector<std::string_view> numbers;
  for (const std::string_view word : split(trim(*map), ' '))
    if (!word.empty()) numbers.push_back(word);
  return numbers != std::vector<std::string_view>{"0", "0", "4294967295"};
}

}  // namespace

NewDirectories::~NewDirectories() {
  for (auto path = made_.rbegin(); path != made_.rend(); ++path) {
    // What fails here adds to an error that is already on its way: the log must do.
    if (rmdir(path->c_str()) != 0 && errno != ENOENT)
      log::warning("cannot remove cgroup " + quote(*path) + ": " + errno_text(errno));
  }
}

int NewDirectories::make(const std::string& path) {
  if (mkdir(path.c_str(), kMode) != 0) {
    const size_t slash = path.rfind('/');
    if (errno != ENOENT || slash == std::string::npos || slash == 0) return errno;
    if (const int code = make(path.substr(0, slash)); code != 0 && code != EEXIST) return code;
    if (mkdir(path.c_str(), kMode) != 0) return errno;
  }
  made_.push_back(path);
  return 0;
}

bool NewDirectories::made(const std::string& path) const {
  return std::ranges::find(made_, path) != made_.end();
}

void require_clean(const std::string& path) {
  if (!path.starts_with('/') || clean_path(path) != path)
    throw Error("refusing to touch " + quote(path) + ": it is no clean absolute path");
}

const Layout& Mounts::layout() const {
  if (!layout_) layout_ = read_layout();
  return *layout_;
}

void Mounts::require_inside(const std::string& path) const {
  if (!inside_hierarchy(layout(), path))
    throw Error("refusing to touch " + quote(path) +
                ": it is not a cgroup below a hierarchy's root");
}

void remove_all(const std::set<std::string>& dirs, const Mounts& mounts) {
  std::vector<std::string> busy;
  for (const std::string& dir : dirs) {
    require_clean(dir);
    if (!plainly_cgroup(dir) && directory_exists(dir)) mounts.require_inside(dir);
    if (!remove_directory(dir)) busy.push_back(dir);
  }
  if (busy.empty()) return;
  const Deadline deadline(kWaitLimit);
  for (const std::string& dir : busy) {
    mounts.require_inside(dir);
    remove_below(dir, deadline);
  }
}

void remove_unused(const Manager& manager) {
  for (const auto& [key, dir] : manager.paths()) {
    require_clean(dir);
    (void)remove_directory(dir);  // false: it is in use
  }
}

void require_empty(const std::string& dir) {
  const size_t count = processes_below(dir).size();
  if (count == 0) return;
  throw Error("container's cgroup is not empty: " + std::to_string(count) +
              " process(es) found in " + quote(dir))
      .field(kField);
}

void throw_frozen(const std::string& dir) {
  throw Error("container's cgroup unexpectedly frozen: " + quote(dir) + " or a parent of it")
      .field(kField)
      .hint("a process that enters would stop; thaw the cgroup first");
}

void throw_make_error(const std::string& dir, int code) {
  Error error("cannot make cgroup " + quote(dir), "mkdir", code);
  error.set_field(kField);
  if (code == EROFS) error.set_hint("cgroups are mounted read-only here");
  if (code == EACCES || code == EPERM)
    error.set_hint("the parent cgroup is not delegated to this user");
  if (code == EAGAIN)
    error.set_hint("cgroup.max.descendants or cgroup.max.depth of a parent is reached");
  throw error;
}

bool may_lack_devices(bool rootless, int code) {
  return is_permission_error(code) && (rootless || in_user_namespace());
}

}  // namespace hull::cgroups
