#include "libruntime/network/devices.h"

#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "libruntime/network/links.h"
#include "libruntime/network/rtnetlink.h"
#include "libruntime/system/error.h"

namespace hull::network {
namespace {

constexpr std::string_view kPattern = "%d";
constexpr std::array<uint16_t, 3> kAddressParts{IFA_LOCAL, IFA_ADDRESS, IFA_BROADCAST};

// An address as the device had it.
struct Address {
  ifaddrmsg head;
  uint32_t flags;
  std::map<uint16_t, std::string> attributes;
};

std::set<int> all_indexes(Rtnetlink& net) {
  Request request(RTM_GETLINK, NLM_F_DUMP, ifinfomsg{});
  std::set<int> out;
  net.read(request, [&](const Reply& reply) { out.insert(reply.header<ifinfomsg>().ifi_index); });
  return out;
}

// The kernel drops a device's addresses when it moves. Those that it had for itself only, or from
// somebody on the old network, stay behind.
std::vector<Address> addresses_to_keep(Rtnetlink& net, int index) {
  Request request(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{});
  std::vector<Address> out;
  net.read(request, [&](const Reply& reply) {
    Address one{reply.header<ifaddrmsg>(), 0, {}};
    one.flags = one.head.ifa_flags;
    if (const auto wide = reply.attribute(sizeof one.head, IFA_FLAGS); wide && wide->size() == 4)
      std::memcpy(&one.flags, wide->data(), 4);
    if (static_cast<int>(one.head.ifa_index) != index || one.head.ifa_scope != RT_SCOPE_UNIVERSE ||
        (one.flags & IFA_F_PERMANENT) == 0)
      return;
    for (const uint16_t type : kAddressParts)
      if (const auto value = reply.attribute(sizeof one.head, type); value)
        one.attributes[type] = *value;
    out.push_back(std::move(one));
  });
  return out;
}

void add_address(Rtnetlink& net, int index, const Address& address) {
  ifaddrmsg head{};
  head.ifa_family = address.head.ifa_family;
  head.ifa_prefixlen = address.head.ifa_prefixlen;
  head.ifa_scope = address.head.ifa_scope;
  head.ifa_index = static_cast<uint32_t>(index);
  Request request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, head);
  for (const auto& [type, value] : address.attributes)
    request.attribute(type, value.data(), value.size());
  // What somebody chose for the address; the other flags are its state.
  request.attribute(IFA_FLAGS, address.flags & (IFA_F_NODAD | IFA_F_NOPREFIXROUTE |
                                                IFA_F_MANAGETEMPADDR | IFA_F_HOMEADDRESS));
  net.change(request);
}

// Its index there.
int move(Rtnetlink& here, Rtnetlink& there, int index, const std::string& name, int net_namespace) {
  const bool pattern = name.find(kPattern) != std::string::npos;
  // The kernel renames a device after it has moved: a conflict would come too late.
  if (!pattern && index_of(there, name))
    throw Error("the container has a network device " + quote(name) + " already", "rtnetlink",
                EEXIST);
  const std::set<int> before = pattern ? all_indexes(there) : std::set<int>{};
  ifinfomsg head{};
  head.ifi_index = index;
  Request request(RTM_NEWLINK, 0, head);
  request.attribute(IFLA_NET_NS_FD, net_namespace);
  request.attribute(IFLA_IFNAME, name);
  here.change(request);
  if (!pattern) {
    if (const auto moved = index_of(there, name)) return *moved;
  } else {
    for (const int one : all_indexes(there))
      if (!before.contains(one)) return one;
  }
  throw Error("the moved network device is not there", "rtnetlink", ENODEV);
}

void move_device(Rtnetlink& here, Rtnetlink& there, const std::string& name,
                 const std::string& new_name, int net_namespace) {
  const auto index = index_of(here, name);
  if (!index)
    throw Error("there is no network device " + quote(name) + " on the host", "rtnetlink", ENODEV);
  const std::vector<Address> addresses = addresses_to_keep(here, *index);
  const int moved = move(here, there, *index, new_name.empty() ? name : new_name, net_namespace);
  for (const Address& address : addresses) add_address(there, moved, address);
  set_link_up(there, moved);
}

}  // namespace

void move_devices(const std::map<std::string, std::string>& devices, int net_namespace) {
  if (is_own_namespace(net_namespace))
    throw Error("the container shares the host's network namespace: no device can be moved")
        .field("/linux/netDevices");
  Rtnetlink here;
  Rtnetlink there(net_namespace);
  for (const auto& [name, new_name] : devices) {
    try {
      move_device(here, there, name, new_name, net_namespace);
    } catch (Error& e) {
      e.set_stage("moving network device " + quote(name));
      e.set_field("/linux/netDevices/" + name);
      throw;
    }
  }
}

}  // namespace hull::network
