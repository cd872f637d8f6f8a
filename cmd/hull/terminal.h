#pragma once

#include <sys/ioctl.h>
#include <termios.h>

#include <optional>

#include "libruntime/system/fd.h"

namespace hull::cmd {

// The terminal that this program was called from, if any.
class HostTerminal {
 public:
  HostTerminal() = default;
  ~HostTerminal() { restore(); }
  HostTerminal(const HostTerminal&) = delete;
  HostTerminal& operator=(const HostTerminal&) = delete;

  // Nothing when there is no terminal or it has no size.
  [[nodiscard]] std::optional<winsize> size();
  // Keys go to the container as they are typed (termios(3), cfmakeraw), when they come from this
  // terminal at all; output processing stays on, since other programs write here too. Throws Error.
  void make_raw();
  // Puts the mode back as it was before make_raw.
  void restore() noexcept;

 private:
  // Looks at stderr, stdout and stdin, then at the controlling terminal: they may be redirected.
  void find();
  bool looked_ = false;
  Fd opened_;
  int fd_ = -1;
  std::optional<termios> saved_;
};

// Settings of a container's terminal by its master; failures throw Error.
void set_terminal_size(int master, const winsize& size);
// "\n" reaches the caller as it is: what shows it to a user adds the carriage return.
void keep_newlines(int master);

}  // namespace hull::cmd
