#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include <cerrno>

#include "libruntime/rootfs/bind.h"
#include "libruntime/rootfs/rootfs.h"
#include "libruntime/rootfs/target.h"
#include "libruntime/system/error.h"
#include "libruntime/system/root_path.h"

namespace hull::rootfs {
namespace {

// CVE-2025-52565: what is bound is a pty, whatever its name leads to by now.
void verify_pty(int slave) {
  struct statfs fs {};
  struct stat info {};
  if (fstatfs(slave, &fs) != 0 || fstat(slave, &info) != 0)
    throw Error("cannot look at the terminal", "fstat", errno);
  const unsigned number = major(info.st_rdev);  // 136 to 143: Unix98 slaves, devices.txt
  if (fs.f_type != DEVPTS_SUPER_MAGIC || !S_ISCHR(info.st_mode) || number < 136 || number > 143)
    throw Error("the terminal is not a pty of a devpts");
}

// CVE-2026-88264: made new, or a plain file or node that is there; never through a link.
Fd open_console_file(const RootPath& root) {
  const Fd dev = root.open("/dev", O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  Fd fd(openat(dev.get(), "console", O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (fd) return fd;
  if (errno != EEXIST) throw Error("cannot create /dev/console", "openat", errno);
  fd.reset(openat(dev.get(), "console", O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!fd || fstat(fd.get(), &info) != 0)
    throw Error("cannot look at /dev/console", "openat", errno);
  if (!S_ISREG(info.st_mode) && !S_ISCHR(info.st_mode))
    throw Error("/dev/console of the container is neither a file nor a character device");
  return fd;
}

}  // namespace

void mount_console(int slave) {
  try {
    verify_pty(slave);
    const RootPath root = RootPath::at("/");
    const Target target{open_console_file(root), "/dev/console", false};
    attach(root, target, open_source(slave, "", false), {});
  } catch (Error& e) {
    e.set_stage("binding the terminal on /dev/console");
    e.set_field("/process/terminal");
    throw;
  }
}

}  // namespace hull::rootfs
