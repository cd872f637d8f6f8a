#include "libruntime/rootfs/old_root.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "libruntime/rootfs/attributes.h"
#include "libruntime/rootfs/rootfs.h"
#include "libruntime/system/error.h"
#include "libruntime/system/mountinfo.h"
#include "libruntime/system/root_path.h"
#include "libruntime/system/text.h"

namespace hull::rootfs {
namespace {

// Set by prepare(). Without a mount namespace of its own the process must never pivot: that would
// be the host's root.
bool old_root_ours = false;

[[noreturn]] void fail(const char* what, const char* call) { throw Error(what, call, errno); }

void change_root_propagation(uint64_t propagation) {
  if (::mount(nullptr, "/", nullptr, propagation, nullptr) != 0)
    throw Error("cannot set the propagation of the root mount", "mount", errno)
        .field("/linux/rootfsPropagation");
}

// Whether no mount of this namespace passes events on to the host's.
bool cuts_all(uint64_t propagation) {
  return (propagation & MS_REC) != 0 && (propagation & MS_SHARED) == 0;
}

// Unbindable ones could not be bound into the container: that comes at the end.
uint64_t first_propagation(const plan::Rootfs& plan) {
  const bool chosen = plan.propagation != 0 && (plan.propagation & MS_UNBINDABLE) == 0;
  return chosen ? plan.propagation : static_cast<uint64_t>(MS_SLAVE | MS_REC);
}

// pivot_root(2) wants a parent that is not shared; a slave's copy, the container's root, still gets
// the host's mounts. Only a mount's root can be changed (EINVAL elsewhere), and this is no hot
// path: upwards until it is one.
void unshare_parent(std::string path, uint64_t propagation) {
  const uint64_t kind = (propagation & MS_SLAVE) != 0 ? MS_SLAVE : MS_PRIVATE;
  for (;;) {
    if (::mount(nullptr, path.c_str(), nullptr, kind, nullptr) == 0) return;
    if (errno != EINVAL || path == "/")
      throw Error("cannot unshare the mount of the root file system", "mount", errno);
    path.resize(path.rfind('/'));
    if (path.empty()) path = "/";
  }
}

// pivot_root(2): "new_root and put_old may be the same directory", and the old root lies on top
// then.
void pivot(const plan::Rootfs& plan) {
  Fd old_root;
  const uint64_t propagation = plan.propagation;
  if (propagation != 0 && !cuts_all(propagation)) {
    old_root.reset(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!old_root) fail("cannot open the old root", "open");
  }
  if (sys::pivot_root(".", ".") != 0)
    throw Error("cannot make it the root", "pivot_root", errno)
        .hint(errno == EINVAL ? "a host that runs from its initramfs needs --no-pivot" : "");
  // The unmount must not reach the host.
  if (old_root) set_propagation(old_root.get(), MS_SLAVE | MS_REC);
  if (umount2(".", MNT_DETACH) != 0) fail("cannot unmount the old root", "umount2");
}

// A procfs or sysfs that stays reachable under the moved root would be one without our masks, and
// in a user namespace would count as a fully visible one for new mounts.
void hide_kernel_mounts(const std::string& root) {
  const std::vector<MountInfo> mounts = read_mountinfo();
  for (auto mount = mounts.rbegin(); mount != mounts.rend(); ++mount) {
    if (mount->fs_type != "proc" && mount->fs_type != "sysfs") continue;
    if (path_is_below(mount->mount_point, root)) continue;
    const char* path = mount->mount_point.c_str();
    if (::mount(nullptr, path, nullptr, MS_SLAVE | MS_REC, nullptr) != 0) {
      if (errno == ENOENT || errno == EINVAL) continue;  // below one that is gone already
      throw Error("cannot make " + quote(path) + " private", "mount", errno);
    }
    if (umount2(path, MNT_DETACH) == 0) continue;
    if (errno != EINVAL && errno != EPERM)
      throw Error("cannot unmount " + quote(path), "umount2", errno);
    // Locked by the user namespace above: covered instead.
    if (::mount("tmpfs", path, "tmpfs", 0, nullptr) != 0)
      throw Error("cannot cover " + quote(path), "mount", errno);
  }
}

void move_root(int root) {
  const RootPath host = RootPath::at("/");
  hide_kernel_mounts(host.path_of(root));
  if (::mount(".", "/", nullptr, MS_MOVE, nullptr) != 0)
    fail("cannot move it over the old root", "mount");
  if (chroot(".") != 0) fail("cannot make it the root", "chroot");
}

}  // namespace

void old_root_is_ours() { old_root_ours = true; }

std::vector<uint64_t> source_propagation(const plan::Rootfs& plan) {
  std::vector<uint64_t> out;
  // mount_namespaces(7): in a less privileged namespace copies of shared mounts are slaves.
  if (plan.user_namespace) out.push_back(MS_SLAVE | MS_REC);
  if ((first_propagation(plan) & MS_REC) != 0) out.push_back(first_propagation(plan));
  return out;
}

void detach_from_host(const plan::Rootfs& plan) {
  const uint64_t propagation = first_propagation(plan);
  change_root_propagation(propagation);
  if (!cuts_all(propagation)) unshare_parent(plan.path, propagation);
}

void enter(const plan::Rootfs& plan, int root) {
  try {
    if (fchdir(root) != 0) fail("cannot enter the root file system", "fchdir");
    if (!old_root_ours) {
      if (chroot(".") != 0) fail("cannot make it the root", "chroot");
    } else if (plan.no_pivot) {
      move_root(root);
    } else {
      pivot(plan);
    }
    if (chdir("/") != 0) fail("cannot enter the new root", "chdir");
    old_root_ours = false;
  } catch (Error& e) {
    e.set_stage("jailing process inside rootfs");
    e.set_field("/root/path");
    throw;
  }
}

void set_root_propagation(const plan::Rootfs& plan) {
  // A private root is private already.
  if (plan.propagation != 0 && (plan.propagation & MS_PRIVATE) == 0)
    change_root_propagation(plan.propagation);
}

}  // namespace hull::rootfs
