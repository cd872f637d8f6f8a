#include "libruntime/rootfs/attributes.h"

#include <fcntl.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include <cerrno>

#include "libruntime/rootfs/fd_path.h"
#include "libruntime/system/error.h"

namespace hull::rootfs {
namespace {

struct Flag {
  uint64_t mount;      // MS_*
  uint64_t attribute;  // MOUNT_ATTR_*
  uint64_t statfs;     // f_flags of statfs(2)
};

constexpr uint64_t kStatNoSymfollow = 0x2000;  // ST_NOSYMFOLLOW, which glibc 2.36 lacks

constexpr Flag kFlags[] = {
    {MS_RDONLY, MOUNT_ATTR_RDONLY, ST_RDONLY},
    {MS_NOSUID, MOUNT_ATTR_NOSUID, ST_NOSUID},
    {MS_NODEV, MOUNT_ATTR_NODEV, ST_NODEV},
    {MS_NOEXEC, MOUNT_ATTR_NOEXEC, ST_NOEXEC},
    {MS_NODIRATIME, MOUNT_ATTR_NODIRATIME, ST_NODIRATIME},
    {MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW, kStatNoSymfollow},
};

uint64_t statfs_flags(int mount) {
  struct statfs info {};
  if (fstatfs(mount, &info) != 0) throw Error("cannot look at the mount", "fstatfs", errno);
  return static_cast<uint64_t>(info.f_flags);
}

bool change(int mount, Attributes attributes, bool recursive) {
  const unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U);
  return sys::mount_setattr(mount, "", flags, to_kernel(attributes)) == 0;
}

// The old way (mount(2)): all flags at once, so those that are there are read first; in a user
// namespace the kernel refuses to drop the locked ones.
void remount(int mount, Attributes attributes) {
  const uint64_t now = statfs_flags(mount);
  uint64_t flags = MS_REMOUNT | MS_BIND;
  for (const Flag& flag : kFlags) {
    const bool on = (attributes.set & flag.attribute) != 0 ||
                    ((now & flag.statfs) != 0 && (attributes.clear & flag.attribute) == 0);
    if (on) flags |= flag.mount;
  }
  if ((attributes.clear & MOUNT_ATTR__ATIME) == 0) {
    flags |= (now & ST_NOATIME) != 0    ? MS_NOATIME
             : (now & ST_RELATIME) != 0 ? MS_RELATIME
                                        : MS_STRICTATIME;
  } else {
    flags |= (attributes.set & MOUNT_ATTR__ATIME) == MOUNT_ATTR_NOATIME       ? MS_NOATIME
             : (attributes.set & MOUNT_ATTR__ATIME) == MOUNT_ATTR_STRICTATIME ? MS_STRICTATIME
                                                                              : MS_RELATIME;
  }
  require_procfs();
  if (::mount(nullptr, FdPath(mount), nullptr, flags, nullptr) != 0)
    throw Error("cannot change the mount's options", "mount", errno);
  if ((flags & MS_NOSYMFOLLOW) != 0) require_nosymfollow(mount);
}

}  // namespace

mount_attr to_kernel(Attributes attributes) {
  mount_attr out{};
  out.attr_set = attributes.set;
  out.attr_clr = attributes.clear;
  return out;
}

Attributes attributes_of(uint64_t flags, uint64_t clear_flags) {
  Attributes out;
  for (const Flag& flag : kFlags) {
    if ((flags & flag.mount) != 0) {
      out.set |= flag.attribute;
    } else if ((clear_flags & flag.mount) != 0) {
      out.clear |= flag.attribute;
    }
  }
  // One field of three values, not bits: cleared whole, then set.
  if ((flags & kAccessTimeFlags) != 0) {
    out.clear |= MOUNT_ATTR__ATIME;
    if ((flags & MS_STRICTATIME) != 0) {
      out.set |= MOUNT_ATTR_STRICTATIME;
    } else if ((flags & MS_NOATIME) != 0) {
      out.set |= MOUNT_ATTR_NOATIME;
    }
  }
  return out;
}

void resolve_access_time(Attributes& attributes, uint64_t clear_flags, int mount) {
  if ((clear_flags & (MS_NOATIME | MS_STRICTATIME)) == 0) return;
  if ((attributes.clear & MOUNT_ATTR__ATIME) != 0) return;
  const uint64_t now = statfs_flags(mount);
  const uint64_t mode = (now & ST_NOATIME) != 0    ? MS_NOATIME
                        : (now & ST_RELATIME) != 0 ? MS_RELATIME
                                                   : MS_STRICTATIME;
  if ((clear_flags & mode) != 0) attributes.clear |= MOUNT_ATTR__ATIME;
}

void set_attributes(int mount, Attributes attributes, bool recursive) {
  if (attributes.empty() || change(mount, attributes, recursive)) return;
  const int code = errno;
  // EPERM: a seccomp profile that knows no mount_setattr; if it is a locked flag, mount(2) refuses
  // too.
  if ((code != ENOSYS && code != EPERM) || recursive)
    throw Error("cannot set the mount's attributes", "mount_setattr", code);
  remount(mount, attributes);
}

bool try_set_attributes(int mount, Attributes attributes, bool recursive) {
  if (attributes.empty() || change(mount, attributes, recursive)) return true;
  if (errno == ENOSYS || errno == EPERM) return false;
  throw Error("cannot set the mount's attributes", "mount_setattr", errno);
}

void require_nosymfollow(int mount) {
  if ((statfs_flags(mount) & kStatNoSymfollow) == 0)
    throw Error("the kernel does not know the mount option \"nosymfollow\" (since Linux 5.10)");
}

void set_propagation(int mount, uint64_t propagation) {
  mount_attr attr{};
  attr.propagation = propagation & kPropagationFlags;
  const bool recursive = (propagation & MS_REC) != 0;
  const unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U);
  if (sys::mount_setattr(mount, "", flags, attr) == 0) return;
  if (errno != ENOSYS && errno != EPERM)
    throw Error("cannot set the mount's propagation", "mount_setattr", errno);
  require_procfs();
  if (::mount(nullptr, FdPath(mount), nullptr, propagation, nullptr) != 0)
    throw Error("cannot set the mount's propagation", "mount", errno);
}

}  // namespace hull::rootfs
