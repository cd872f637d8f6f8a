#include "libruntime/rootfs/idmap.h"

#include <fcntl.h>

#include <cerrno>
#include <string>

#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/files.h"
#include "libruntime/system/syscalls.h"
#include "libruntime/system/user_namespace.h"

namespace hull::rootfs {
namespace {

std::string lines_of(const std::vector<configs::IdMap>& maps) {
  std::string out;
  for (const configs::IdMap& map : maps)
    out += std::to_string(map.container_id) + ' ' + std::to_string(map.host_id) + ' ' +
           std::to_string(map.size) + '\n';
  return out;
}

}  // namespace

void map_ids(int mount, const std::vector<configs::IdMap>& uids,
             const std::vector<configs::IdMap>& gids, bool recursive) {
  const UserNamespaceHolder holder;
  write_existing_at(holder.directory(), "uid_map", lines_of(uids));
  write_existing_at(holder.directory(), "gid_map", lines_of(gids));
  const Fd userns = open_or_throw(holder.directory(), "ns/user", O_RDONLY);
  mount_attr attr{};
  attr.attr_set = MOUNT_ATTR_IDMAP;
  attr.userns_fd = static_cast<uint64_t>(userns.get());
  if (sys::mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U), attr) != 0)
    throw Error("cannot make it an idmapped mount", "mount_setattr", errno)
        .hint(errno == EINVAL ? "the file system of the source does not support idmapped mounts"
                              : "this needs CAP_SYS_ADMIN over the source's file system");
}

}  // namespace hull::rootfs
