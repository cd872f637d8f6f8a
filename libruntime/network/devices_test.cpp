#include "libruntime/network/devices.h"

#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "libruntime/network/rtnetlink.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::network {
namespace {

// A pair of devices, the second named by the kernel ("veth0").
void make_pair(const std::string& name) {
  Rtnetlink net;
  Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
  request.attribute(IFLA_IFNAME, name);
  // IFLA_LINKINFO holds an attribute: its kind.
  struct {
    rtattr head{sizeof(rtattr) + 5, IFLA_INFO_KIND};
    char kind[8] = "veth";
  } info;
  request.attribute(IFLA_LINKINFO, &info, sizeof info);
  net.change(request);
}

// Two network namespaces: the caller is in the first, the descriptor is of the second.
Fd second_namespace() {
  if (unshare(CLONE_NEWNET) != 0) throw Error("cannot make a network namespace", "unshare", errno);
  Fd second = open_or_throw(AT_FDCWD, "/proc/thread-self/ns/net", O_RDONLY);
  if (unshare(CLONE_NEWNET) != 0) throw Error("cannot make a network namespace", "unshare", errno);
  return second;
}

bool has(int net_namespace, const std::string& name) {
  Rtnetlink net(net_namespace);
  Request request(RTM_GETLINK, 0, ifinfomsg{});
  request.attribute(IFLA_IFNAME, name);
  try {
    bool up = false;
    net.read(request,
             [&](const Reply& reply) { up = (reply.header<ifinfomsg>().ifi_flags & IFF_UP) != 0; });
    return up;
  } catch (const Error& e) {
    if (e.code() == ENODEV) return false;
    throw;
  }
}

// Runs `body` in a child, which has network namespaces of its own; it says what went wrong.
template <class Body>
std::string in_child(Body body) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t pid = fork();
  if (pid == 0) {
    std::string said;
    try {
      said = body();
    } catch (const std::exception& e) {
      said = e.what();
    }
    const bool told = write(ends[1], said.data(), said.size()) >= 0;
    _exit(told ? 0 : 1);
  }
  close(ends[1]);
  std::string said = read_all(ends[0], "pipe");
  close(ends[0]);
  waitpid(pid, nullptr, 0);
  return said;
}

}  // namespace

TEST_CASE("Devices move, are renamed and set up", "[network]") {
  if (geteuid() != 0) HULL_SKIP("needs root");
  CHECK(in_child([]() -> std::string {
          const Fd there = second_namespace();
          make_pair("hv0");
          move_devices({{"hv0", "eth%d"}, {"veth0", ""}}, there.get());
          if (!has(there.get(), "eth0")) return "no eth0";
          if (!has(there.get(), "veth0")) return "no veth0";
          // The caller is still where it was, and the devices are not.
          const Fd here = open_or_throw(AT_FDCWD, "/proc/thread-self/ns/net", O_RDONLY);
          return has(here.get(), "hv0") ? "hv0 is still here" : "";
        }).empty());
}

TEST_CASE("A device that can't move is an error that names it", "[network]") {
  if (geteuid() != 0) HULL_SKIP("needs root");
  const auto error_of = [](const std::string& name, const std::string& new_name) {
    return in_child([&]() -> std::string {
      const Fd there = second_namespace();
      make_pair("hv0");
      move_devices({{name, new_name}}, there.get());
      return "moved";
    });
  };
  CHECK(error_of("nosuch", "") ==
        "moving network device \"nosuch\": there is no network device \"nosuch\" on the host: "
        "rtnetlink: no such device (/linux/netDevices/nosuch)");
  CHECK(error_of("hv0", "lo") ==
        "moving network device \"hv0\": the container has a network device \"lo\" already: "
        "rtnetlink: file exists (/linux/netDevices/hv0)");
  CHECK(error_of("lo", "x").find("rtnetlink: invalid argument (/linux/netDevices/lo)") !=
        std::string::npos);
}

TEST_CASE("The namespace of the host itself is refused", "[network]") {
  const Fd own = open_or_throw(AT_FDCWD, "/proc/thread-self/ns/net", O_RDONLY);
  CHECK_THROWS_AS(move_devices({{"lo", "x"}}, own.get()), Error);
}

}  // namespace hull::network
