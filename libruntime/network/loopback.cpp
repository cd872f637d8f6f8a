#include "libruntime/network/loopback.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"

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

}  // namespace hull::network
