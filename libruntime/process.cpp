#include "libruntime/process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "libruntime/system/syscalls.h"

namespace hull {

const Started& Process::handle() const {
  if (!started()) throw Error("the process was not started").kind(ErrorKind::no_process);
  return started_;
}

Process::Pipes Process::initialize_io(uid_t owner, gid_t group) {
  const auto open_pipe = [&](size_t stream) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw Error("cannot make a pipe", "pipe2", errno);
    Fd read_end(ends[0]);
    Fd write_end(ends[1]);
    Fd& theirs = stream == 0 ? read_end : write_end;
    if (fchown(theirs.get(), owner, group) != 0)
      throw Error("cannot give a pipe to its user", "fchown", errno);
    options.streams[stream] = theirs.get();
    own_streams_[stream] = std::move(theirs);
    return stream == 0 ? std::move(write_end) : std::move(read_end);
  };
  Pipes out;
  out.in = open_pipe(0);
  out.out = open_pipe(1);
  out.err = open_pipe(2);
  return out;
}

// Or their readers would never see an end.
void Process::close_own_streams() {
  for (size_t i = 0; i < 3; ++i) {
    if (!own_streams_[i]) continue;
    own_streams_[i].reset();
    options.streams[i] = -1;
  }
}

Exit Process::wait() {
  const Started& process = handle();
  siginfo_t info{};
  const auto id = static_cast<id_t>(process.pidfd.get());
  while (waitid(P_PIDFD, id, &info, WEXITED) != 0)
    if (errno != EINTR) throw Error("cannot get the exit status of the process", "waitid", errno);
  if (info.si_code == CLD_EXITED) return {info.si_status, 0};
  return {0, info.si_status};
}

void Process::signal(int number) const {
  if (sys::pidfd_send_signal(handle().pidfd.get(), number) != 0)
    throw Error("cannot signal the process", "pidfd_send_signal", errno);
}

}  // namespace hull
