#pragma once

#include <sys/types.h>

#include <array>
#include <string>
#include <vector>

#include "libruntime/system/fd.h"

namespace hull {

// How a process is started, beside what it is.
struct LaunchOptions {
  // Descriptors of the caller that become 0, 1 and 2; -1: the caller's own. They are only used, not
  // taken.
  std::array<int, 3> streams{-1, -1, -1};
  // Descriptors of the caller that become 3, 4 and so on; only used, not taken. With them there are
  // no preserve_fds and no LISTEN_FDS.
  std::vector<int> extra_fds;
  // AF_UNIX stream socket to which the pty's master is sent; empty: `Started::console` has it.
  std::string console_socket;
  // Gets the host pid as decimal text.
  std::string pid_file;
  // AF_UNIX stream socket to which a pidfd is sent.
  std::string pidfd_socket;
  // Descriptors 3 .. 3+n-1 of the caller reach the process (LISTEN_FDS of the caller come on top).
  unsigned preserve_fds = 0;
  // sd_notify(3) socket of the caller, bound into the container; empty: none.
  std::string notify_socket;
  // exec: sub-cgroups "[CTRL[,CTRL]:]PATH" to enter instead of the container's own.
  std::vector<std::string> sub_cgroups;
  // exec: go on although the container is paused.
  bool ignore_paused = false;
};

// A process that was started, seen from the host.
struct Started {
  pid_t pid = 0;
  Fd pidfd;
  Fd console;  // the pty's master, when the process has a terminal and no console socket was given
};

}  // namespace hull
