#pragma once

#include <sys/types.h>

#include <csignal>
#include <optional>

#include "cmd/hull/notify.h"
#include "cmd/hull/terminal.h"
#include "libruntime/process.h"
#include "libruntime/system/fd.h"

namespace hull::cmd {

class PtyRelay;

// `run` and `exec` staying with their process: signals go to it, its terminal is connected with
// ours, its exit status becomes ours.
class Foreground {
 public:
  // To be made before the process: from here on signals are kept, so that none is lost. With
  // `subreaper` orphans of the container become our children (prctl(2)) and are reaped.
  explicit Foreground(bool subreaper);
  // Signals as before; the terminal's mode is put back.
  ~Foreground();
  Foreground(const Foreground&) = delete;
  Foreground& operator=(const Foreground&) = delete;

  // Gives the process a terminal as large as the caller's from its first instruction on.
  void set_console_size(Process& process);

  // Until the process ends and its output is written: its exit status, 128+n when signal n killed
  // it. `notify` may be null. Throws Error.
  int wait(const Process& process, NotifyProxy* notify);

 private:
  void serve_signals(const Process& process);
  void send_signal(const Process& process, int signal) const;
  void resize(const Process& process);
  void reap(pid_t main);

  Fd signals_;
  HostTerminal terminal_;
  std::optional<int> status_;
  bool traced_ = false;  // the process has ended, and its tracer does not know yet
  bool leave_ = false;   // a signal to end came after the process itself had ended
};

// The exit status that stands for a wait status (waitpid(2)).
int exit_status(int wait_status);

}  // namespace hull::cmd
