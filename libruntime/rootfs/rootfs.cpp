#include "libruntime/rootfs/rootfs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "libruntime/rootfs/attributes.h"
#include "libruntime/rootfs/devices.h"
#include "libruntime/rootfs/fd_path.h"
#include "libruntime/rootfs/mounts.h"
#include "libruntime/rootfs/old_root.h"
#include "libruntime/system/error.h"
#include "libruntime/system/root_path.h"

namespace hull::rootfs {
namespace {

// Modes come out as the config says.
class NoUmask {
 public:
  NoUmask() : old_(umask(0)) {}
  ~NoUmask() { umask(old_); }
  NoUmask(const NoUmask&) = delete;
  NoUmask& operator=(const NoUmask&) = delete;

 private:
  mode_t old_;
};

// A copy of the root file system's mounts, over it: pivot_root(2) wants a mount. It is the
// descriptor's mount that everything goes into, whatever happens to the path.
Fd attach_root(const std::string& path) {
  Fd tree(
      sys::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
  if (tree) {
    if (sys::move_mount(tree.get(), "", AT_FDCWD, path.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0)
      throw Error("cannot attach the root file system " + quote(path), "move_mount", errno);
    return tree;
  }
  if (errno != ENOSYS && errno != EPERM)
    throw Error("cannot open the root file system " + quote(path), "open_tree", errno);
  if (::mount(path.c_str(), path.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
    throw Error("cannot bind the root file system " + quote(path), "mount", errno);
  tree.reset(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!tree) throw Error("cannot open the root file system " + quote(path), "open", errno);
  return tree;
}

}  // namespace

Fd prepare(const plan::Rootfs& plan, const AskForSource& ask_for_source) {
  require_procfs();  // the host's: mount(2) gets its targets as /proc/self/fd/N
  const NoUmask no_umask;
  try {
    detach_from_host(plan);
    RootPath root(attach_root(plan.path));
    if (fchdir(root.fd()) != 0)
      throw Error("cannot enter the root file system " + quote(plan.path), "fchdir", errno);
    const FdCloseBatch batch;
    for (size_t i = 0; i < plan.mounts.size(); ++i) mount_entry(root, plan, i, ask_for_source);
    make_devices(root, plan);
    old_root_is_ours();
    return root.release();
  } catch (Error& e) {
    e.set_field("/root/path");
    throw;
  }
}

void make_readonly(const plan::Rootfs& plan) {
  const Attributes readonly{MOUNT_ATTR_RDONLY, 0};
  for (size_t i = 0; i < plan.mounts.size(); ++i) {
    const configs::Mount& mount = plan.mounts[i];
    if (!is_read_only_late(mount)) continue;
    try {
      const RootPath root = RootPath::at("/");
      const Fd fd = root.open(absolute_destination(mount.destination), O_PATH);
      set_attributes(fd.get(), readonly, false);
    } catch (Error& e) {
      e.set_stage("making " + quote(mount.destination) + " read-only");
      e.set_field("/mounts/" + std::to_string(i));
      throw;
    }
  }
  if (!plan.readonly) return;
  try {
    // enter() left the working directory there, which an empty path means.
    set_attributes(AT_FDCWD, readonly, false);
  } catch (Error& e) {
    e.set_stage("making the root file system read-only");
    e.set_field("/root/readonly");
    throw;
  }
}

}  // namespace hull::rootfs
