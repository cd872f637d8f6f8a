#pragma once

#include <string>

#include "libruntime/system/fd.h"

namespace hull::conformance {

// One message with the first descriptor that came along.
struct Received {
  std::string text;
  Fd fd;
};

// A listening AF_UNIX stream socket, as console, pidfd and seccomp sockets are.
class Listener {
 public:
  explicit Listener(std::string path);
  // Takes one connection and its first message; throws when none comes within some seconds.
  [[nodiscard]] Received receive() const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  Fd fd_;
};

// An AF_UNIX datagram socket, as sd_notify(3)'s.
class Mailbox {
 public:
  explicit Mailbox(std::string path);
  // The next datagram; "" when none comes within some seconds.
  [[nodiscard]] std::string receive() const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  Fd fd_;
};

// A pseudo-terminal.
struct Pty {
  Fd master;
  Fd slave;
};
Pty open_pty();
// What comes out of a pty's master until it holds `end`, or some seconds have passed.
std::string read_until(const Fd& master, const std::string& end);

}  // namespace hull::conformance
