#include "libruntime/rootfs/target.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>

#include <cerrno>
#include <string_view>

#include "libruntime/system/error.h"
#include "libruntime/system/text.h"

namespace hull::rootfs {
namespace {

// Files of /proc that lxcfs and the like put an own version on; the same list as runc's.
constexpr std::string_view kProcFiles[] = {
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/uptime",
    "/proc/loadavg",
    "/proc/slabinfo",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/sys/crypto/fips_enabled",
};

void refuse_over_proc(const std::string& path, const configs::Mount& mount, long source_fs) {
  if (!path_is_below(path, "/proc")) return;
  if (path == "/proc") {
    if (mount.type == "proc" || source_fs == PROC_SUPER_MAGIC) return;
    throw Error(quote(mount.destination) + " cannot be mounted because it is not of type proc");
  }
  for (const std::string_view allowed : kProcFiles)
    if (path == allowed) return;
  throw Error(quote(mount.destination) + " cannot be mounted because it is inside /proc");
}

bool wants_real_directory(const configs::Mount& mount) {
  return mount.type == "proc" || mount.type == "sysfs";
}

[[noreturn]] void refuse_link(const configs::Mount& mount) {
  throw Error("filesystem " + quote(mount.type) + " must be mounted on ordinary directory")
      .hint(quote(mount.destination) + " is a symbolic link or a file in the image");
}

Fd create(const RootPath& root, const std::string& path, Kind kind, uint64_t resolve) {
  return kind == Kind::file ? root.create_file(path, 0755, resolve)
                            : root.mkdir_all(path, 0755, resolve);
}

// Without links first: then the path is what it says, and is not looked up again for the checks.
Fd open_or_create(const RootPath& root, const std::string& path, Kind kind, uint64_t resolve,
                  int flags, bool& created) {
  Fd fd = root.try_open(path, O_PATH | flags, resolve);
  created = !fd && errno == ENOENT;
  if (!created) return fd;
  try {
    return create(root, path, kind, resolve);
  } catch (const Error& e) {
    if (e.code() != ELOOP) throw;
    errno = ELOOP;
    return Fd();
  }
}

}  // namespace

std::string absolute_destination(const std::string& destination) {
  return clean_path("/" + destination);
}

Target open_target(const RootPath& root, const configs::Mount& mount, Kind kind, long source_fs) {
  Target out;
  out.path = absolute_destination(mount.destination);
  if (out.path.find('\0') != std::string::npos)
    throw Error("the destination holds a NUL character");
  if (out.path == "/") throw Error("the destination is the root file system itself");
  refuse_over_proc(out.path, mount, source_fs);
  const bool real = wants_real_directory(mount);
  const int nofollow = mount.destination_nofollow ? O_NOFOLLOW : 0;
  out.fd = open_or_create(root, out.path, kind, RESOLVE_NO_SYMLINKS,
                          nofollow | (real ? O_DIRECTORY : 0), out.created);
  if (!out.fd && real && (errno == ELOOP || errno == ENOTDIR)) refuse_link(mount);
  if (!out.fd && errno == ELOOP) {
    out.fd = open_or_create(root, out.path, kind, 0, nofollow, out.created);
    if (out.fd) out.path = root.path_of(out.fd.get());
    if (out.fd && out.path == "/")
      throw Error("the destination leads to the root file system itself");
    refuse_over_proc(out.path, mount, source_fs);
  }
  if (!out.fd) throw Error("cannot open the destination in the root file system", "openat2", errno);
  return out;
}

Fd reopen(const RootPath& root, const Target& target) {
  // It may be a link itself ("src-nofollow").
  Fd top = root.open(target.path, O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
  struct statx info {};
  if (statx(top.get(), "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_TYPE, &info) != 0)
    throw Error("cannot look at what was mounted on " + quote(target.path), "statx", errno);
  // Kernels before 5.8 don't tell.
  const bool tells = (info.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0;
  if (tells && (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0)
    throw Error(quote(target.path) + " was changed while it was mounted on");
  return top;
}

}  // namespace hull::rootfs
