#include "libruntime/launch/mount_points.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "libruntime/rootfs/target.h"
#include "libruntime/system/error.h"
#include "libruntime/system/root_path.h"
#include "libruntime/system/text.h"

namespace hull::launch {
namespace {

bool is_bind(const configs::Mount& mount) {
  return (mount.flags & MS_BIND) != 0 && mount.type != "cgroup";
}

// The innermost mount before the one at `index` that its destination lies below; null: the root.
const configs::Mount* mount_below(const configs::Config& config, size_t index) {
  const std::string path = rootfs::absolute_destination(config.mounts[index].destination);
  const configs::Mount* found = nullptr;
  size_t longest = 0;
  for (size_t i = 0; i < index; ++i) {
    const std::string other = rootfs::absolute_destination(config.mounts[i].destination);
    if (other == path || !path_is_below(path, other) || other.size() < longest) continue;
    longest = other.size();
    found = &config.mounts[i];
  }
  return found;
}

bool is_directory(const configs::Mount& mount) {
  if (!is_bind(mount)) return true;
  struct stat info {};
  if (stat(mount.source.c_str(), &info) != 0)
    throw Error("cannot look at the source " + quote(mount.source), "stat", errno);
  return S_ISDIR(info.st_mode);
}

void make_mount_point(const configs::Config& config, size_t index) {
  const configs::Mount& mount = config.mounts[index];
  if (mount.copy_symlink) return;
  const configs::Mount* below = mount_below(config, index);
  // Other file systems come with the images, and so does what was made on them.
  if (below != nullptr && !is_bind(*below)) return;
  std::string path = rootfs::absolute_destination(mount.destination);
  if (below != nullptr) path.erase(0, rootfs::absolute_destination(below->destination).size());
  const RootPath root = RootPath::at(below != nullptr ? below->source : config.rootfs);
  if (root.try_open(path, O_PATH)) return;
  if (is_directory(mount)) {
    root.mkdir_all(path, 0755);
  } else {
    root.create_file(path, 0755);
  }
}

}  // namespace

void make_mount_points(const configs::Config& config) {
  for (size_t i = 0; i < config.mounts.size(); ++i) {
    try {
      make_mount_point(config, i);
    } catch (Error& e) {
      e.set_stage("create criu restore mountpoint for " + config.mounts[i].destination + " mount");
      e.set_field("/mounts/" + std::to_string(i));
      throw;
    }
  }
}

}  // namespace hull::launch
