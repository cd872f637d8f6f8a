#include "libruntime/rootfs/fd_path.h"

#include <linux/magic.h>
#include <sys/statfs.h>

#include <cerrno>

#include "libruntime/system/error.h"

namespace hull::rootfs {

void require_procfs() {
  struct statfs info {};
  if (statfs("/proc/self/fd", &info) != 0)
    throw Error("cannot find /proc/self/fd", "statfs", errno).hint("is procfs mounted at /proc?");
  if (info.f_type != PROC_SUPER_MAGIC) throw Error("/proc/self/fd is not on procfs");
}

}  // namespace hull::rootfs
