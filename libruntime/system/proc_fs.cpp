#include "libruntime/system/proc_fs.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <array>
#include <cerrno>
#include <utility>

#include "libruntime/system/error.h"
#include "libruntime/system/log.h"
#include "libruntime/system/mountinfo.h"
#include "libruntime/system/syscalls.h"
#include "libruntime/system/text.h"

namespace hull {
namespace {

constexpr ino_t kProcRootInode = 1;  // PROC_ROOT_INO of the kernel

bool on_proc(int fd) {
  struct statfs fs {};
  return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

bool is_proc_root(int fd) {
  struct stat st {};
  return on_proc(fd) && fstat(fd, &st) == 0 && st.st_ino == kProcRootInode;
}

// Options that an older kernel does not know are done without: they only narrow what is visible.
void set_option(int fs, const char* key, const char* value) {
  if (sys::fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0) != 0 && log::enabled(log::Level::debug))
    log::debug(std::string("procfs without the option ") + key + ": " + errno_text(errno));
}

Fd mount_own(bool whole) {
  const Fd fs(sys::fsopen("proc", FSOPEN_CLOEXEC));
  if (!fs) return Fd();
  set_option(fs.get(), "hidepid", "ptraceable");
  if (!whole) set_option(fs.get(), "subset", "pid");
  if (sys::fsconfig(fs.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return Fd();
  return Fd(sys::fsmount(fs.get(), FSMOUNT_CLOEXEC,
                         MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
}

void log_fallback(const char* what) {
  if (log::enabled(log::Level::debug))
    log::debug(std::string("no ") + what + ": " + errno_text(errno) + ", trying the next way");
}

// What the kernel says when openat2(2) is not there; EPERM comes from old seccomp profiles.
bool lacks_openat2(int code) { return code == ENOSYS || code == EPERM; }

}  // namespace

ProcFs ProcFs::open(bool whole) {
  Fd root = mount_own(whole);
  if (root) return {std::move(root), true};
  log_fallback("procfs of our own");
  // Not recursive: mounts below /proc stay behind.
  root.reset(sys::open_tree(AT_FDCWD, "/proc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (root && is_proc_root(root.get())) return {std::move(root), true};
  log_fallback("clone of /proc");
  return host();
}

ProcFs ProcFs::host() {
  Fd root(::open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!root) throw Error("cannot open \"/proc\"", "open", errno);
  if (!is_proc_root(root.get()))
    throw Error("\"/proc\" is not the root of a procfs")
        .hint("something is mounted over it; start hull where /proc is the kernel's");
  return {std::move(root), false};
}

Fd ProcFs::open_file(const std::string& path, int flags) const {
  // Symbolic links may stay: on a procfs only the kernel makes them, and without magic links and
  // mounts to cross they lead nowhere but into this procfs.
  Fd fd(sys::openat2(root_.get(), path.c_str(), static_cast<uint64_t>(flags | O_CLOEXEC), 0,
                     RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS));
  if (!fd && lacks_openat2(errno)) fd = walk(path, flags);
  if (!fd && errno == EXDEV)
    throw Error("refusing " + quote("/proc/" + path) + ": something is mounted over it", "openat2",
                EXDEV);
  if (!fd) throw Error("cannot open " + quote("/proc/" + path), "openat2", errno);
  if (!on_proc(fd.get())) throw Error("refusing " + quote("/proc/" + path) + ": not on a procfs");
  return fd;
}

// For kernels without openat2(2): component by component, no link followed but the two at the top.
// On a procfs that is not detached a mount could come between the check and the use.
Fd ProcFs::walk(const std::string& path, int flags) const {
  if (!detached_) {
    for (const MountInfo& mount : read_mountinfo()) {
      if (mount.mount_point.starts_with("/proc/") &&
          path_is_below("/proc/" + path, mount.mount_point))
        throw Error("refusing " + quote("/proc/" + path) + ": something is mounted over it");
    }
  }
  std::string resolved = path;
  if (path.starts_with("self/") || path.starts_with("thread-self/")) {
    const size_t slash = path.find('/');
    std::array<char, 64> target{};  // "PID/task/TID"
    const ssize_t length =
        readlinkat(root_.get(), path.substr(0, slash).c_str(), target.data(), target.size());
    if (length < 0) throw Error("cannot read \"/proc/self\"", "readlink", errno);
    resolved.replace(0, slash, target.data(), static_cast<size_t>(length));
  }
  const std::vector<std::string_view> parts = split(resolved, '/');
  Fd at;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty() || parts[i] == "." || parts[i] == "..")
      throw Error("refusing " + quote("/proc/" + path) + ": not a plain path");
    const bool last = i + 1 == parts.size();
    const int how = last ? flags : O_PATH | O_DIRECTORY;
    Fd next(openat(at ? at.get() : root_.get(), std::string(parts[i]).c_str(),
                   how | O_NOFOLLOW | O_CLOEXEC));
    if (!next) return next;
    if (!on_proc(next.get()))
      throw Error("refusing " + quote("/proc/" + path) + ": not on a procfs");
    at = std::move(next);
  }
  return at;
}

void ProcFs::write(const std::string& path, std::string_view content) const {
  const Fd fd = open_file(path, O_WRONLY);
  ssize_t wrote;
  do {
    wrote = ::write(fd.get(), content.data(), content.size());
  } while (wrote < 0 && errno == EINTR);
  if (wrote < 0)
    throw Error("cannot write " + quote(content) + " to " + quote("/proc/" + path), "write", errno);
  if (static_cast<size_t>(wrote) != content.size())
    throw Error("short write of " + quote(content) + " to " + quote("/proc/" + path));
}

Fd ProcFs::reopen(int fd, int flags) const {
  const std::string number = std::to_string(fd);
  const Fd dir = open_file("thread-self/fd", O_PATH | O_DIRECTORY);
  Fd out;
  do {
    // The one magic link that is meant to be followed.
    out.reset(openat(dir.get(), number.c_str(), flags | O_CLOEXEC));
  } while (!out && errno == EINTR);
  if (!out) throw Error("cannot reopen descriptor " + number, "open", errno);
  // The link itself could be mounted over where the procfs is not detached.
  struct stat before {
  }, after{};
  if (fstat(fd, &before) != 0 || fstat(out.get(), &after) != 0)
    throw Error("cannot verify descriptor " + number, "fstat", errno);
  if (before.st_dev != after.st_dev || before.st_ino != after.st_ino)
    throw Error("refusing \"/proc/thread-self/fd/" + number + "\": it leads to another file");
  return out;
}

}  // namespace hull
