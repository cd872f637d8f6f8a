#include "libruntime/network/links.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/stat.h>

#include <cerrno>

#include "libruntime/system/error.h"

namespace hull::network {

std::optional<int> index_of(Rtnetlink& net, const std::string& name) {
  Request request(RTM_GETLINK, 0, ifinfomsg{});
  request.attribute(IFLA_IFNAME, name);
  std::optional<int> index;
  try {
    net.read(request, [&](const Reply& reply) { index = reply.header<ifinfomsg>().ifi_index; });
  } catch (const Error& e) {
    if (e.code() != ENODEV) throw;
  }
  return index;
}

void set_link_up(Rtnetlink& net, int index) {
  ifinfomsg head{};
  head.ifi_index = index;
  head.ifi_flags = IFF_UP;
  head.ifi_change = IFF_UP;
  Request request(RTM_NEWLINK, 0, head);
  net.change(request);
}

bool is_own_namespace(int net_namespace) {
  struct stat own {
  }, other{};
  if (stat("/proc/thread-self/ns/net", &own) != 0 || fstat(net_namespace, &other) != 0)
    throw Error("cannot look at a network namespace", "stat", errno);
  return own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

}  // namespace hull::network
