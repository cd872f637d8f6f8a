#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "libruntime/configs/config.h"
#include "libruntime/launch/options.h"
#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"

namespace hull {

// How a process ended (waitid(2)).
struct Exit {
  int code = 0;    // of exit(3)
  int signal = 0;  // that killed it, else 0
  // What a shell makes of it: the code, or 128 and the signal.
  [[nodiscard]] int status() const { return signal != 0 ? 128 + signal : code; }
};

// A process of a container: what is to run and how it is connected (the members), and once
// Container::start or run has taken it, the handle on it (the functions). It is started once. Not
// for two threads at once; wait() may run in one while another calls signal().
//
// What the members leave open (capabilities, rlimits, AppArmor profile, SELinux label,
// oom_score_adj, scheduler, I/O priority, CPU affinity) is the container's. Without wait() the
// process stays a zombie when it ends: it is a child of the program.
class Process : public configs::Process {
 public:
  Process() { cwd = "/"; }
  explicit Process(configs::Process what) : configs::Process(std::move(what)) {}

  // "user", "uid", "user:group" or "uid:gid", looked up in the container's /etc/passwd and
  // /etc/group when it starts; it sets uid, gid and additional_gids. Empty: they stay as they are.
  std::string user;
  // How it is started: standard streams, further descriptors, sockets, pid file.
  LaunchOptions options;

  // What one end of three pipes is; the process has the other end (libcontainer's
  // InitializeIO). The process's ends belong to `owner` and `group`, the IDs on the host of the
  // user that will open them anew by /proc/self/fd. Throws Error.
  struct Pipes {
    Fd in, out, err;
  };
  Pipes initialize_io(uid_t owner = 0, gid_t group = 0);

  // Whether it was started.
  [[nodiscard]] bool started() const { return started_.pid != 0; }
  // Its number on the host, a pidfd, and the master of its terminal (empty when it has none, or
  // options.console_socket got it). Throw Error of kind no_process before the start.
  [[nodiscard]] pid_t pid() const { return handle().pid; }
  [[nodiscard]] const Fd& pidfd() const { return handle().pidfd; }
  [[nodiscard]] const Fd& console() const { return handle().console; }
  // Waits until it has ended, and takes its exit status (once). Throws Error: no_process, or when
  // someone else has taken it.
  Exit wait();
  // Throws Error: no_process, or when it is gone (ESRCH).
  void signal(int number) const;

 private:
  friend class Container;
  [[nodiscard]] const Started& handle() const;
  void close_own_streams();
  Started started_;
  Fd own_streams_[3];  // of initialize_io
};

}  // namespace hull
