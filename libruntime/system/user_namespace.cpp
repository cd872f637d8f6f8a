#include "libruntime/system/user_namespace.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "libruntime/system/error.h"
#include "libruntime/system/syscalls.h"

namespace hull {
namespace {

// The descriptors are shared with the caller: what is opened here is the caller's too. Only the
// process can name itself in whatever PID namespace /proc is of.
[[noreturn]] void hold(int to_join, int pipe) {
  int answer = 0;
  if (to_join >= 0 && setns(to_join, CLONE_NEWUSER) != 0) answer = -errno;
  if (answer == 0) {
    answer = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (answer < 0) answer = -errno;
  }
  if (write(pipe, &answer, sizeof answer) != sizeof answer) _exit(1);
  for (;;) pause();
}

void end(pid_t pid) {
  kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
  }
}

// What the process says; -ESRCH when it dies before. The pipe has no end of file: its write end is
// shared.
int answer_of(int pidfd, int pipe) {
  pollfd watched[] = {{pipe, POLLIN, 0}, {pidfd, POLLIN, 0}};
  while (poll(watched, 2, -1) < 0 && errno == EINTR) {
  }
  int answer = -ESRCH;
  if (watched[0].revents != 0 && read(pipe, &answer, sizeof answer) != sizeof answer) return -ESRCH;
  return answer;
}

}  // namespace

UserNamespaceHolder::UserNamespaceHolder(int to_join) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw Error("cannot make a pipe", "pipe2", errno);
  const Fd read_end(ends[0]);
  const Fd write_end(ends[1]);
  int pidfd = -1;
  clone_args args{};
  args.flags = CLONE_FILES | CLONE_PIDFD | (to_join < 0 ? CLONE_NEWUSER : 0U);
  args.pidfd = reinterpret_cast<uintptr_t>(&pidfd);
  pid_ = sys::clone3(&args);
  if (pid_ == 0) hold(to_join, write_end.get());
  if (pid_ < 0) throw Error("cannot make a process for a user namespace", "clone3", errno);
  const Fd process(pidfd);
  const int answer = answer_of(pidfd, read_end.get());
  if (answer >= 0) {
    directory_.reset(answer);
    return;
  }
  end(pid_);
  throw Error("cannot enter a user namespace with a helper process", to_join < 0 ? "open" : "setns",
              -answer);
}

UserNamespaceHolder::~UserNamespaceHolder() { end(pid_); }

}  // namespace hull
