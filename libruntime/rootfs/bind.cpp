#include "libruntime/rootfs/bind.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <cerrno>

#include "libruntime/rootfs/copy_link.h"
#include "libruntime/rootfs/fd_path.h"
#include "libruntime/rootfs/idmap.h"
#include "libruntime/rootfs/old_root.h"
#include "libruntime/rootfs/rootfs.h"
#include "libruntime/system/error.h"
#include "libruntime/system/log.h"

namespace hull::rootfs {
namespace {

// Flags that a bind can't have: they belong to the file system, which is mounted already. mount(2)
// takes and drops them; runc's users have such configs, so it is a warning.
void warn_of_file_system_flags(const configs::Mount& mount) {
  constexpr uint64_t kKnown =
      kMountFlags | kPropagationFlags | MS_BIND | MS_REC | MS_SILENT | MS_REMOUNT;
  if ((mount.flags & ~kKnown) != 0)
    log::warning("bind mount " + quote(mount.destination) +
                 ": options of the file system (sync, dirsync, mand, iversion, lazytime) have no "
                 "effect on a bind mount");
}

long file_system_of(int fd) {
  struct statfs info {};
  if (fstatfs(fd, &info) != 0) throw Error("cannot look at the source", "fstatfs", errno);
  return static_cast<long>(info.f_type);
}

Kind kind_of(int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0) throw Error("cannot look at it", "fstat", errno);
  return S_ISDIR(info.st_mode) ? Kind::directory : Kind::file;
}

Attributes tree_attributes(const plan::Rootfs& plan, const configs::Mount& mount,
                           const BindSource& source) {
  Attributes out{mount.recursive_set, mount.recursive_clear};
  // "rrelatime" and the like: one field, replaced whole.
  if ((out.set & MOUNT_ATTR__ATIME) != 0) out.clear |= MOUNT_ATTR__ATIME;
  // CVE-2023-25809: a rootless container gets the host's /sys by rbind; "ro" must reach the cgroup
  // file systems in it.
  if (plan.user_namespace && source.recursive && (mount.flags & MS_RDONLY) != 0 &&
      file_system_of(source.fd.get()) == SYSFS_MAGIC)
    out.set |= MOUNT_ATTR_RDONLY;
  return out;
}

BindSource source_of(const plan::Rootfs& plan, const configs::Mount& mount,
                     const std::function<Fd()>& ask_for_source) {
  const bool recursive = (mount.flags & MS_REC) != 0;
  if (mount.idmapped()) return {ask_for_source(), true, recursive, false};
  try {
    return open_source(AT_FDCWD, mount.source.c_str(), recursive, mount.source_nofollow);
  } catch (const Error& e) {
    // The container's root has no rights in directories of the host's.
    if (e.code() != EACCES || !plan.user_namespace || !ask_for_source) throw;
  }
  return {ask_for_source(), true, recursive, false};
}

// What is mounted there already gets other options; those that are not named stay, in a user
// namespace the kernel would refuse to drop them.
void remount_bind(const RootPath& root, const configs::Mount& mount) {
  const Fd top = root.open(absolute_destination(mount.destination), O_PATH);
  Attributes own = attributes_of(mount.flags, mount.clear_flags);
  resolve_access_time(own, mount.clear_flags, top.get());
  set_attributes(top.get(), own, false);
  set_attributes(top.get(), {mount.recursive_set, mount.recursive_clear}, true);
  for (const uint64_t propagation : mount.propagation) set_propagation(top.get(), propagation);
}

}  // namespace

BindSource open_source(int dir, const char* path, bool recursive, bool nofollow) {
  const unsigned empty = *path == '\0' ? AT_EMPTY_PATH : 0U;
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | empty |
                         (recursive ? AT_RECURSIVE : 0U) | (nofollow ? AT_SYMLINK_NOFOLLOW : 0U);
  BindSource out{Fd(sys::open_tree(dir, path, flags)), true, recursive, false};
  if (out.fd) return out;
  if (errno != ENOSYS && errno != EPERM) throw Error("cannot open the source", "open_tree", errno);
  out.detached = false;
  out.fd.reset(empty != 0 ? fcntl(dir, F_DUPFD_CLOEXEC, 3)
                          : openat(dir, path, O_PATH | O_CLOEXEC | (nofollow ? O_NOFOLLOW : 0)));
  if (!out.fd) throw Error("cannot open the source", "open", errno);
  return out;
}

BindSource open_tree_with(int dir, Attributes attributes) {
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE;
  Fd tree(sys::open_tree_attr(dir, "", flags, to_kernel(attributes)));
  if (tree) return {std::move(tree), true, true, true};
  // ENOSYS: an older kernel; EPERM: a seccomp profile. What else is wrong the old way finds, too.
  return open_source(dir, "", true);
}

Fd attach(const RootPath& root, const Target& target, BindSource source, Attributes own,
          Attributes tree) {
  if (!source.detached) {
    require_procfs();
    const uint64_t flags = MS_BIND | (source.recursive ? MS_REC : 0U);
    if (::mount(FdPath(source.fd.get()), FdPath(target.fd.get()), nullptr, flags, nullptr) != 0)
      throw Error("cannot bind on " + quote(target.path), "mount", errno);
    Fd top = reopen(root, target);
    set_attributes(top.get(), own, false);
    set_attributes(top.get(), tree, true);
    return top;
  }
  const bool complete = try_set_attributes(source.fd.get(), own, false);
  set_attributes(source.fd.get(), tree, true);
  if (sys::move_mount(source.fd.get(), "", target.fd.get(), "",
                      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0) {
    int code = errno;
    // mount(2) tells a directory on a file apart, move_mount(2) does not; callers match the words.
    if (code == EINVAL && kind_of(source.fd.get()) != kind_of(target.fd.get())) code = ENOTDIR;
    throw Error("cannot bind on " + quote(target.path), "move_mount", code);
  }
  if (!complete) set_attributes(source.fd.get(), own, false);
  return std::move(source.fd);
}

Fd clone_source(const plan::Rootfs& plan, const configs::Mount& mount) {
  BindSource source = open_source(AT_FDCWD, mount.source.c_str(), (mount.flags & MS_REC) != 0,
                                  mount.source_nofollow);
  if (!source.detached) throw Error("a mount can't be copied here", "open_tree", ENOSYS);
  for (const uint64_t propagation : source_propagation(plan))
    set_propagation(source.fd.get(), propagation);
  if (mount.idmapped())
    map_ids(source.fd.get(), mount.uid_mappings, mount.gid_mappings, mount.idmap_recursive);
  return std::move(source.fd);
}

void mount_bind(const RootPath& root, const plan::Rootfs& plan, const configs::Mount& mount,
                const std::function<Fd()>& ask_for_source) {
  if (!mount.data.empty())
    throw Error("bind mounts cannot have any filesystem-specific options applied: " +
                quote(mount.data));
  if (mount.copy_symlink && copy_link(root, mount.source, mount.destination)) return;
  warn_of_file_system_flags(mount);
  if ((mount.flags & MS_REMOUNT) != 0) return remount_bind(root, mount);
  BindSource from = source_of(plan, mount, ask_for_source);
  const int fd = from.fd.get();
  const long source_fs =
      absolute_destination(mount.destination) == "/proc" ? file_system_of(fd) : 0;
  const Target target = open_target(root, mount, kind_of(fd), source_fs);
  Attributes own = attributes_of(mount.flags, mount.clear_flags);
  resolve_access_time(own, mount.clear_flags, fd);
  const Attributes tree = tree_attributes(plan, mount, from);
  const Fd top = attach(root, target, std::move(from), own, tree);
  for (const uint64_t propagation : mount.propagation) set_propagation(top.get(), propagation);
}

}  // namespace hull::rootfs
