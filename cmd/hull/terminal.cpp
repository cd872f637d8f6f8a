#include "cmd/hull/terminal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "libruntime/system/error.h"

namespace hull::cmd {

void HostTerminal::find() {
  looked_ = true;
  for (const int fd : {STDERR_FILENO, STDOUT_FILENO, STDIN_FILENO}) {
    if (isatty(fd) == 1) {
      fd_ = fd;
      return;
    }
  }
  opened_ = Fd(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  fd_ = opened_.get();
}

void HostTerminal::restore() noexcept {
  // A terminal that hung up meanwhile has no mode to put back.
  if (saved_) (void)tcsetattr(STDIN_FILENO, TCSANOW, &*saved_);
  saved_.reset();
}

std::optional<winsize> HostTerminal::size() {
  if (!looked_) find();
  winsize size{};
  if (fd_ < 0 || ioctl(fd_, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
    return std::nullopt;
  return size;
}

void HostTerminal::make_raw() {
  termios mode{};
  if (isatty(STDIN_FILENO) != 1) return;
  if (tcgetattr(STDIN_FILENO, &mode) != 0)
    throw Error("cannot read the mode of the terminal", "tcgetattr", errno);
  termios raw = mode;
  cfmakeraw(&raw);
  raw.c_oflag |= OPOST;
  if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0)
    throw Error("cannot set the terminal to raw mode", "tcsetattr", errno);
  saved_ = mode;
}

void set_terminal_size(int master, const winsize& size) {
  if (ioctl(master, TIOCSWINSZ, &size) != 0)
    throw Error("cannot resize the container's terminal", "ioctl", errno);
}

void keep_newlines(int master) {
  termios mode{};
  if (tcgetattr(master, &mode) != 0)
    throw Error("cannot read the mode of the container's terminal", "tcgetattr", errno);
  mode.c_oflag &= ~static_cast<tcflag_t>(ONLCR);
  if (tcsetattr(master, TCSANOW, &mode) != 0)
    throw Error("cannot set the mode of the container's terminal", "tcsetattr", errno);
}

}  // namespace hull::cmd
