#include "libruntime/network/loopback.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/files.h"

namespace hull::network {

void bring_loopback_up() {
  // Any socket takes netdevice(7)'s requests; this kind exists in every kernel.
  const Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) throw Error("cannot make a socket to configure the loopback device", "socket", errno);
  // A new lo has no flag that this could take away: no need to read them first.
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP;
  if (ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0)
    throw Error("cannot bring the loopback device up", "ioctl(SIOCSIFFLAGS)", errno)
        .hint("this needs CAP_NET_ADMIN in the network namespace");
}

void bring_loopback_up_in(int net_namespace) {
  const Fd own = open_or_throw(AT_FDCWD, "/proc/thread-self/ns/net", O_RDONLY);
  if (setns(net_namespace, CLONE_NEWNET) != 0)
    throw Error("cannot enter the network namespace", "setns", errno);
  const auto go_back = [&] {
    if (setns(own.get(), CLONE_NEWNET) != 0)
      throw Error("cannot leave the network namespace", "setns", errno);
  };
  try {
    bring_loopback_up();
  } catch (const Error&) {
    go_back();
    throw;
  }
  go_back();
}

}  // namespace hull::network
