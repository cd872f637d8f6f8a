#include "libruntime/cgroups/placeholder.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "libruntime/system/error.h"
#include "libruntime/system/syscalls.h"

namespace hull::cgroups {

Placeholder::Placeholder(int cgroup) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw Error("cannot make a pipe", "pipe2", errno);
  const Fd wait(ends[0]);
  hold_.reset(ends[1]);
  // No exit signal: a program that uses the library may have a handler for SIGCHLD.
  clone_args args{};
  if (cgroup >= 0) {
    args.flags = CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(cgroup);
  }
  pid_ = sys::clone3(&args);
  if (pid_ < 0) throw Error("cannot make a process for the unit", "clone3", errno);
  if (pid_ > 0) return;
  // In the child: system calls only, for the caller may have threads. All ends of other pipes go
  // with close_range, so that this process keeps nobody waiting.
  char end = 0;
  if (dup2(wait.get(), 0) == 0) sys::close_range(1, ~0U, 0);
  while (read(0, &end, 1) < 0 && errno == EINTR) continue;
  _exit(0);
}

Placeholder::~Placeholder() {
  // At once: a FdCloseBatch of the caller would keep the pipe open.
  ::close(hold_.release());
  while (waitpid(pid_, nullptr, __WALL) < 0 && errno == EINTR) continue;
}

}  // namespace hull::cgroups
