#include "cmd/hull/foreground.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "cmd/hull/pty_relay.h"
#include "libruntime/system/error.h"
#include "libruntime/system/log.h"
#include "libruntime/system/syscalls.h"

namespace hull::cmd {
namespace {

constexpr int kLookAgainMilliseconds = 100;

}  // namespace

int exit_status(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

Foreground::Foreground(bool subreaper) {
  if (subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
    throw Error("cannot become a subreaper", "prctl", errno);
  sigset_t all;
  sigfillset(&all);
  signals_ = Fd(signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) throw Error("cannot receive signals", "signalfd", errno);
  if (sigprocmask(SIG_SETMASK, &all, nullptr) != 0)
    throw Error("cannot block signals", "sigprocmask", errno);
}

Foreground::~Foreground() {
  // With SIGTTOU still blocked: in the background it would stop us here (termios(3)).
  terminal_.restore();
  // Signals stay blocked: what ended the container must not end us before the exit status is out.
}

void Foreground::set_console_size(Process& process) {
  if (!process.terminal) return;
  if (const auto size = terminal_.size()) {
    process.console_rows = size->ws_row;
    process.console_columns = size->ws_col;
  }
}

int Foreground::wait(const Process& process, NotifyProxy* notify) {
  std::optional<PtyRelay> relay;
  if (process.console()) {
    keep_newlines(process.console().get());
    relay.emplace(process.console().get());
    terminal_.make_raw();
  }
  // systemd watches this process, and it lives as long as the container: it is the main one.
  const pid_t main_pid = getpid();

  while (!status_ || (relay && !leave_ && !relay->finish())) {
    std::array<pollfd, 6> fds{{{signals_.get(), POLLIN, 0},
                               {status_ || traced_ ? -1 : process.pidfd().get(), POLLIN, 0},
                               {notify != nullptr ? notify->fd() : -1, POLLIN, 0}}};
    PtyRelay::Polls relayed{};
    for (pollfd& one : relayed) one.fd = -1;
    if (relay) relayed = relay->polls();
    std::copy(relayed.begin(), relayed.end(), fds.begin() + 3);

    const int ready =
        poll(fds.data(), fds.size(), relay && relay->hung_up() ? kLookAgainMilliseconds : -1);
    if (ready < 0 && errno != EINTR)
      throw Error("cannot wait for the container's process", "poll", errno);
    if (ready == 0) relay->look_again();
    if (ready <= 0) continue;

    std::copy(fds.begin() + 3, fds.end(), relayed.begin());
    if (relay) relay->serve(relayed);
    if (fds[2].revents != 0) notify->forward(main_pid);
    if (fds[0].revents != 0) serve_signals(process);
    if (fds[1].revents != 0) {
      reap(process.pid());
      if (!status_ && waitpid(process.pid(), nullptr, WNOHANG | __WALL) != 0)
        throw Error("cannot get the exit status of the container's process: it is not our child");
      // Whoever traces it, as CRIU does, hears of the end first (ptrace(2)); then comes SIGCHLD.
      traced_ = !status_;
    }
  }
  if (notify != nullptr) notify->forward(main_pid);
  return *status_;
}

void Foreground::serve_signals(const Process& process) {
  signalfd_siginfo one;
  while (read(signals_.get(), &one, sizeof one) == ssize_t{sizeof one}) {
    const int signal = static_cast<int>(one.ssi_signo);
    if (signal == SIGCHLD) {
      reap(process.pid());
    } else if (signal == SIGWINCH) {
      resize(process);
    } else if (signal == SIGPIPE && one.ssi_pid == static_cast<uint32_t>(getpid())) {
      continue;  // from our own write(2), whose error was seen there
    } else if (signal !=
               SIGURG) {  // Go's scheduler uses it: senders expect that it is not forwarded
      if (status_)
        leave_ = leave_ || signal == SIGINT || signal == SIGTERM || signal == SIGHUP ||
                 signal == SIGQUIT;
      else
        send_signal(process, signal);
    }
  }
}

void Foreground::send_signal(const Process& process, int signal) const {
  log::debug("forwarding signal " + std::to_string(signal));
  const int result = process.pidfd() ? sys::pidfd_send_signal(process.pidfd().get(), signal)
                                     : kill(process.pid(), signal);
  if (result != 0 && errno != ESRCH)
    log::error("cannot forward signal " + std::to_string(signal) + ": " + errno_text(errno));
}

void Foreground::resize(const Process& process) {
  if (!process.console()) return;
  if (const auto size = terminal_.size()) set_terminal_size(process.console().get(), *size);
}

void Foreground::reap(pid_t main) {
  for (;;) {
    int wait_status = 0;
    const pid_t pid = waitpid(-1, &wait_status, WNOHANG | __WALL);
    if (pid < 0 && errno == EINTR) continue;
    if (pid <= 0) return;
    if (pid != main) continue;
    status_ = exit_status(wait_status);
    return;  // what else has ended is init's when we have gone, and that is soon
  }
}

}  // namespace hull::cmd
