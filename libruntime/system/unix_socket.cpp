#include "libruntime/system/unix_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/files.h"

namespace hull {
namespace {

// A peer that neither accepts nor reads must not hang us.
constexpr time_t kPatienceSeconds = 30;

Fd connect_to(const std::string& path) {
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) throw Error("cannot make a socket", "socket", errno);
  // Also limits connect(2), which waits when the peer's queue is full (socket(7)).
  const timeval patience{kPatienceSeconds, 0};
  if (setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0)
    throw Error("cannot limit the wait for a socket", "setsockopt", errno);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  Fd dir;
  std::string name = path;
  if (name.size() >= sizeof address.sun_path) {
    // Too long for a socket address: go by the directory's descriptor.
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos) throw Error("the socket path is too long: " + quote(path));
    dir = open_or_throw(AT_FDCWD, path.substr(0, slash + 1), O_PATH | O_DIRECTORY);
    name = "/proc/self/fd/" + std::to_string(dir.get()) + path.substr(slash);
    if (name.size() >= sizeof address.sun_path)
      throw Error("the socket path is too long: " + quote(path));
  }
  std::memcpy(address.sun_path, name.c_str(), name.size());
  while (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    if (errno != EINTR) throw Error("cannot connect to " + quote(path), "connect", errno);
  return socket;
}

}  // namespace

void send_fd(const std::string& path, int fd, std::string_view payload) {
  const Fd socket = connect_to(path);
  iovec data{const_cast<char*>(payload.data()), payload.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  ssize_t sent = 0;
  while ((sent = sendmsg(socket.get(), &message, MSG_NOSIGNAL)) < 0)
    if (errno != EINTR) throw Error("cannot send a descriptor to " + quote(path), "sendmsg", errno);
  if (static_cast<size_t>(sent) != payload.size())
    write_all(socket.get(), payload.substr(static_cast<size_t>(sent)), path);
}

}  // namespace hull
