#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "libruntime/init/steps.h"
#include "libruntime/rootfs/rootfs.h"
#include "libruntime/system/error.h"
#include "libruntime/system/syscalls.h"

namespace hull::init {
namespace {

[[noreturn]] void fail(const char* what, const char* call) {
  throw Error(what, call, errno)
      .field("/process/terminal")
      .hint("a terminal needs a devpts mount at /dev/pts");
}

// The multiplexer of the container's own devpts: always inode 2, 5:2 (CVE-2025-52565).
Fd open_multiplexer() {
  Fd master(sys::openat2(AT_FDCWD, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC, 0,
                         RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_IN_ROOT));
  if (!master) fail("cannot open /dev/pts/ptmx in the container", "openat2");
  struct stat info {};
  struct statfs fs {};
  if (fstat(master.get(), &info) != 0 || fstatfs(master.get(), &fs) != 0)
    fail("cannot look at /dev/pts/ptmx", "fstat");
  if (fs.f_type != DEVPTS_SUPER_MAGIC || info.st_ino != 2 || info.st_rdev != makedev(5, 2))
    throw Error("/dev/pts/ptmx of the container is no pty multiplexer").field("/process/terminal");
  return master;
}

}  // namespace

void open_console(Session& session) {
  const plan::Process& process = session.plan.process;
  if (!session.plan.has_process || !process.terminal) return;
  const Fd master = open_multiplexer();
  int unlock = 0;
  if (ioctl(master.get(), TIOCSPTLCK, &unlock) != 0) fail("cannot unlock the pty", "TIOCSPTLCK");
  // Never by name: the directory belongs to the image (ioctl_tty(2)).
  const Fd slave(ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave) fail("cannot open the pty's slave", "TIOCGPTPEER");
  if (process.rows != 0 || process.columns != 0) {
    const winsize size{process.rows, process.columns, 0, 0};
    if (ioctl(slave.get(), TIOCSWINSZ, &size) != 0)
      fail("cannot set the terminal's size", "TIOCSWINSZ");
  }
  if (fchown(slave.get(), process.uid, process.gid) != 0 && errno != EINVAL && errno != EPERM)
    fail("cannot give the terminal to the user", "fchown");
  if (session.plan.kind == plan::Kind::container && session.plan.has_mount_namespace)
    rootfs::mount_console(slave.get());
  const int fds[] = {master.get()};
  session.channel.send(plan::MessageType::console, {}, fds);
  session.wait_to_proceed();
  for (int fd = 0; fd <= 2; ++fd)
    if (dup2(slave.get(), fd) < 0) fail("cannot make the terminal a standard stream", "dup2");
  if (!session.second_to_come) take_terminal();
}

void take_terminal() {
  if (ioctl(0, TIOCSCTTY, 0) != 0) fail("cannot make it the controlling terminal", "TIOCSCTTY");
}

}  // namespace hull::init
