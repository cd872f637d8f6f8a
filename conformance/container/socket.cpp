#include "conformance/container/socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

constexpr int kPatienceMs = 5000;

Fd bound_socket(const std::string& path, int type) {
  Fd fd(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw Error("the path is too long for a socket: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  if (!fd || bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw Error("making a socket at " + path, "bind", errno);
  return fd;
}

bool readable(int fd, int milliseconds = kPatienceMs) {
  pollfd wanted{fd, POLLIN, 0};
  return poll(&wanted, 1, milliseconds) == 1;
}

}  // namespace

Listener::Listener(std::string path)
    : path_(std::move(path)), fd_(bound_socket(path_, SOCK_STREAM)) {
  if (listen(fd_.get(), 8) != 0) throw Error("listening at " + path_, "listen", errno);
}

Received Listener::receive() const {
  if (!readable(fd_.get())) throw Error("nobody connected to " + path_);
  const Fd peer(accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!peer || !readable(peer.get())) throw Error("nothing was sent to " + path_);
  std::array<char, 65536> text{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * 4)> control{};
  iovec part{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = recvmsg(peer.get(), &message, MSG_CMSG_CLOEXEC);
  if (size < 0) throw Error("receiving at " + path_, "recvmsg", errno);
  Received got{std::string(text.data(), static_cast<size_t>(size)), Fd()};
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    got.fd.reset(fd);
  }
  return got;
}

Mailbox::Mailbox(std::string path) : path_(std::move(path)), fd_(bound_socket(path_, SOCK_DGRAM)) {}

std::string Mailbox::receive() const {
  if (!readable(fd_.get())) return "";
  std::array<char, 4096> text{};
  const ssize_t size = recv(fd_.get(), text.data(), text.size(), 0);
  return size < 0 ? "" : std::string(text.data(), static_cast<size_t>(size));
}

Pty open_pty() {
  Pty pty;
  pty.master.reset(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  std::array<char, 64> name{};
  if (!pty.master || grantpt(pty.master.get()) != 0 || unlockpt(pty.master.get()) != 0 ||
      ptsname_r(pty.master.get(), name.data(), name.size()) != 0)
    throw Error("making a pseudo-terminal", "posix_openpt", errno);
  pty.slave = open_or_throw(AT_FDCWD, name.data(), O_RDWR | O_NOCTTY);
  return pty;
}

std::string read_until(const Fd& master, const std::string& end) {
  std::string text;
  const auto limit = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (text.find(end) == std::string::npos && std::chrono::steady_clock::now() < limit) {
    if (!readable(master.get(), 100)) continue;
    std::array<char, 4096> buffer{};
    const ssize_t size = read(master.get(), buffer.data(), buffer.size());
    if (size <= 0) break;  // EIO: the other side is closed
    text.append(buffer.data(), static_cast<size_t>(size));
  }
  return text;
}

}  // namespace hull::conformance
