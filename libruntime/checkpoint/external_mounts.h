#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "libruntime/configs/config.h"
#include "libruntime/configs/resolved.h"
#include "libruntime/system/mountinfo.h"
#include "libruntime/system/root_path.h"

// Mounts that CRIU finds in a container but can't make: what is mounted comes from the host. Each
// has a key in the images, which the restore answers with a source. Keys are made from the
// configuration alone, never from a path of the container: two names of one place, or a name with
// CRIU's own separators in it, must not lead to another mount's source.
namespace hull::checkpoint {

// Where a container finds its sd_notify(3) socket; no mount of the configuration.
inline constexpr char kNotifyPlace[] = "/run/notify";

struct ExternalMount {
  std::string key;
  std::string mount_point;  // as the kernel tells it: no link is on the way
};

struct ExternalSource {
  std::string key;
  std::string source;
};

// The mounts of a container, seen from outside through one of its processes.
class ContainerMounts {
 public:
  explicit ContainerMounts(pid_t pid);
  // The uppermost mount at this path, when the path is its root; null: there is none.
  [[nodiscard]] const MountInfo* at(const std::string& path) const;
  [[nodiscard]] const MountInfo* by_id(int id) const;
  [[nodiscard]] const std::vector<MountInfo>& all() const { return all_; }

 private:
  std::vector<MountInfo> all_;
  RootPath root_;
};

// Those of a container that was made from `config`. Throws Error with /mounts/N when one is not
// where the configuration puts it, allows more than it says (a program inside may have moved
// directories), or can't be restored.
std::vector<ExternalMount> find_external_mounts(const configs::Config& config,
                                                const ContainerMounts& mounts);

// Where they come from: `controllers` and `unified` are the container's own cgroups,
// `notify_directory` that of its sd_notify(3) socket.
std::vector<ExternalSource> external_sources(
    const configs::Config& config, const std::vector<configs::CgroupController>& controllers,
    const std::string& unified, const std::string& notify_directory);

// The ID of the mount that an open descriptor of a process lies on (/proc/[pid]/fdinfo/N). -1: no
// such descriptor.
int mount_id(const std::string& proc_dir, int fd);

}  // namespace hull::checkpoint
