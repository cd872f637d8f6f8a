#include "libruntime/network/interfaces.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/random.h>

#include <cerrno>
#include <functional>
#include <optional>

#include "libruntime/network/addresses.h"
#include "libruntime/network/links.h"
#include "libruntime/network/rtnetlink.h"
#include "libruntime/system/error.h"

namespace hull::network {
namespace {

using configs::Network;
using configs::Route;

constexpr std::string_view kOpenEnd = "XXXX";
constexpr size_t kMaxAlias = 255;  // IFALIASZ, less its NUL
constexpr int kAttempts = 100;

// A default route's gateway, or any route.
struct Way {
  std::optional<IpPrefix> destination;
  std::optional<IpAddress> gateway;
  std::optional<IpAddress> source;
  std::optional<int> index;
};

// The network or route that an error is about.
template <class F>
void each_with_field(const char* list, size_t count, F act) {
  for (size_t i = 0; i < count; ++i) {
    const std::string base = "/" + std::string(list) + "/" + std::to_string(i);
    try {
      act(i, base);
    } catch (Error& e) {
      if (e.field().empty()) e.set_field(base);
      throw;
    }
  }
}

// The name inside of the network with this number.
std::string name_of(const std::vector<Network>& networks, size_t index) {
  if (networks[index].type == configs::kLoopback) return "lo";
  if (!networks[index].name.empty()) return networks[index].name;
  size_t number = 0;
  for (size_t i = 0; i < index; ++i)
    if (networks[i].type != configs::kLoopback) ++number;
  return "eth" + std::to_string(number);
}

void check_name(const std::string& name, const std::string& field) {
  if (name.empty() || name.size() >= IFNAMSIZ || name == "." || name == ".." ||
      name.find_first_of("/: \t\n%") != std::string::npos)
    throw Error("is no name of a network device: " + quote(name)).field(field);
}

void check_family(const std::string& text, int family, const std::string& field) {
  const auto address = parse_ip(text);
  if (!text.empty() && (!address || address->family != family))
    throw Error("is no IP address of the right kind: " + quote(text)).field(field);
}

void check_prefix(const std::string& text, int family, const std::string& field) {
  const auto prefix = parse_ip_prefix(text);
  if (!text.empty() && (!prefix || prefix->address.family != family))
    throw Error("is no IP address with its prefix length: " + quote(text)).field(field);
}

void check_network(const std::vector<Network>& networks, size_t index, const std::string& base) {
  const Network& in = networks[index];
  const bool veth = in.type == configs::kVeth;
  if (!veth && in.type != configs::kLoopback)
    throw Error("unknown type of network " + quote(in.type)).field(base + "/type");
  check_prefix(in.address, AF_INET, base + "/address");
  check_prefix(in.ipv6_address, AF_INET6, base + "/ipv6_address");
  if (in.mtu < 0) throw Error("is negative").field(base + "/mtu");
  if (in.tx_queue_length < 0) throw Error("is negative").field(base + "/txqueuelen");
  if (!veth) return;
  if (in.bridge.empty()) throw Error("bridge is not specified").field(base + "/bridge");
  check_name(in.bridge, base + "/bridge");
  check_name(name_of(networks, index), base + "/name");
  if (!in.host_interface_name.empty())
    check_name(in.host_interface_name, base + "/host_interface_name");
  check_family(in.gateway, AF_INET, base + "/gateway");
  check_family(in.ipv6_gateway, AF_INET6, base + "/ipv6_gateway");
  if (!in.mac_address.empty() && !parse_mac(in.mac_address))
    throw Error("is no hardware address: " + quote(in.mac_address)).field(base + "/mac_address");
}

// The source may come with the length of its network, as in 2014; it says nothing.
std::optional<IpAddress> source_of(const Route& in) {
  if (const auto prefix = parse_ip_prefix(in.source)) return prefix->address;
  return parse_ip(in.source);
}

void check_route(const Route& in, const std::string& base) {
  const auto destination = parse_ip_prefix(in.destination);
  const auto gateway = parse_ip(in.gateway);
  const auto source = source_of(in);
  if (!in.destination.empty() && !destination)
    throw Error("is no IP address with its prefix length: " + quote(in.destination))
        .field(base + "/destination");
  if (!in.gateway.empty() && !gateway)
    throw Error("is no IP address: " + quote(in.gateway)).field(base + "/gateway");
  if (!in.source.empty() && !source)
    throw Error("is no IP address: " + quote(in.source)).field(base + "/source");
  if (!gateway && in.interface_name.empty())
    throw Error("a route needs a gateway or an interface").field(base);
  int family = 0;
  for (const IpAddress* one : {destination ? &destination->address : nullptr,
                               gateway ? &*gateway : nullptr, source ? &*source : nullptr}) {
    if (one == nullptr) continue;
    if (family != 0 && one->family != family)
      throw Error("a route has addresses of one family").field(base);
    family = one->family;
  }
}

std::string random_name(const std::string& prefix) {
  constexpr std::string_view kCharacters = "0123456789abcdefghijklmnopqrstuvwxyz";
  unsigned char bytes[kOpenEnd.size()];
  if (getrandom(bytes, sizeof bytes, 0) != ssize_t{sizeof bytes})
    throw Error("cannot choose a name", "getrandom", errno);
  std::string out = prefix;
  for (const unsigned char byte : bytes) out += kCharacters[byte % kCharacters.size()];
  return out;
}

// In `ip link` it tells whose the device is; and who may remove it.
std::string alias_of(const std::string& id) { return ("hull:" + id).substr(0, kMaxAlias); }

void add_size(Request& request, const Network& in) {
  if (in.mtu > 0) request.attribute(IFLA_MTU, static_cast<uint32_t>(in.mtu));
  if (in.tx_queue_length > 0)
    request.attribute(IFLA_TXQLEN, static_cast<uint32_t>(in.tx_queue_length));
}

// Both ends at once, the inner one in its place from the start: nothing can be left half done.
void make_pair(Rtnetlink& host, const Network& in, const std::string& name, int net_namespace) {
  Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
  request.attribute(IFLA_IFNAME, in.host_interface_name);
  add_size(request, in);
  const size_t info = request.begin(IFLA_LINKINFO);
  request.attribute(IFLA_INFO_KIND, std::string("veth"));
  const size_t data = request.begin(IFLA_INFO_DATA);
  const size_t peer = request.begin(VETH_INFO_PEER);
  request.inner_header(ifinfomsg{});
  request.attribute(IFLA_IFNAME, name);
  request.attribute(IFLA_NET_NS_FD, static_cast<uint32_t>(net_namespace));
  if (const auto mac = parse_mac(in.mac_address))
    request.attribute(IFLA_ADDRESS, mac->data(), mac->size());
  add_size(request, in);
  request.end(peer);
  request.end(data);
  request.end(info);
  host.change(request);
}

void attach_to_bridge(Rtnetlink& host, const Network& in, int bridge, const std::string& id) {
  const auto index = index_of(host, in.host_interface_name);
  if (!index) throw Error("the new network device is not there", "rtnetlink", ENODEV);
  ifinfomsg head{};
  head.ifi_index = *index;
  head.ifi_flags = IFF_UP;
  head.ifi_change = IFF_UP;
  Request request(RTM_NEWLINK, 0, head);
  request.attribute(IFLA_IFALIAS, alias_of(id));
  request.attribute(IFLA_MASTER, static_cast<uint32_t>(bridge));
  host.change(request);
  if (!in.hairpin_mode) return;
  ifinfomsg port{};
  port.ifi_family = AF_BRIDGE;
  port.ifi_index = *index;
  Request mode(RTM_SETLINK, 0, port);
  const size_t settings = mode.begin(IFLA_PROTINFO | NLA_F_NESTED);
  mode.attribute(IFLA_BRPORT_MODE, uint8_t{1});
  mode.end(settings);
  host.change(mode);
}

void add_address(Rtnetlink& net, int index, const std::string& text) {
  const auto prefix = parse_ip_prefix(text);
  if (!prefix) return;
  ifaddrmsg head{};
  head.ifa_family = static_cast<uint8_t>(prefix->address.family);
  head.ifa_prefixlen = prefix->length;
  head.ifa_index = static_cast<uint32_t>(index);
  Request request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, head);
  const std::string& bytes = prefix->address.bytes;
  request.attribute(IFA_LOCAL, bytes.data(), bytes.size());
  request.attribute(IFA_ADDRESS, bytes.data(), bytes.size());
  if (const auto broadcast = broadcast_of(*prefix))
    request.attribute(IFA_BROADCAST, broadcast->data(), broadcast->size());
  // An address of IPv6 would be of no use for the first seconds, while the kernel asks for doubles.
  if (prefix->address.family == AF_INET6) request.attribute(IFA_FLAGS, uint32_t{IFA_F_NODAD});
  net.change(request);
}

void add_route(Rtnetlink& net, const Way& way) {
  const IpAddress& of_family = way.gateway       ? *way.gateway
                               : way.destination ? way.destination->address
                                                 : *way.source;
  rtmsg head{};
  head.rtm_family = static_cast<uint8_t>(of_family.family);
  head.rtm_table = RT_TABLE_MAIN;
  head.rtm_protocol = RTPROT_BOOT;
  head.rtm_scope = way.gateway || head.rtm_family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
  head.rtm_type = RTN_UNICAST;
  if (way.destination) head.rtm_dst_len = way.destination->length;
  Request request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, head);
  const auto put = [&](uint16_t type, const IpAddress& address) {
    request.attribute(type, address.bytes.data(), address.bytes.size());
  };
  if (way.destination) put(RTA_DST, way.destination->address);
  if (way.gateway) put(RTA_GATEWAY, *way.gateway);
  if (way.source) put(RTA_PREFSRC, *way.source);
  if (way.index) request.attribute(RTA_OIF, static_cast<uint32_t>(*way.index));
  net.change(request);
}

// Runs a step; its failure is about this field.
void with_field(const std::string& field, const std::function<void()>& step) {
  try {
    step();
  } catch (Error& e) {
    if (e.field().empty()) e.set_field(field);
    if (e.code() == EPERM) e.set_hint("this takes CAP_NET_ADMIN on the host");
    throw;
  }
}

int existing_link(Rtnetlink& net, const std::string& name) {
  const auto index = index_of(net, name);
  if (!index) throw Error("there is no network device " + quote(name), "rtnetlink", ENODEV);
  return *index;
}

void refuse_taken(Rtnetlink& net, const std::string& name) {
  if (index_of(net, name))
    throw Error("there is a network device " + quote(name) + " already", "rtnetlink", EEXIST);
}

// An address that lo gets by itself when it comes up.
bool is_los_own(const std::string& text) {
  const auto prefix = parse_ip_prefix(text);
  if (!prefix) return true;
  const std::string& bytes = prefix->address.bytes;
  return bytes == std::string("\x7f\0\0\1", 4) || bytes == std::string(15, '\0') + '\1';
}

void connect_loopback(Rtnetlink& net, const Network& in, const std::string& base) {
  const int index = existing_link(net, "lo");
  if (in.mtu > 0 || in.tx_queue_length > 0) {
    ifinfomsg head{};
    head.ifi_index = index;
    Request request(RTM_NEWLINK, 0, head);
    add_size(request, in);
    with_field(base + "/mtu", [&] { net.change(request); });
  }
  set_link_up(net, index);
  if (!is_los_own(in.address))
    with_field(base + "/address", [&] { add_address(net, index, in.address); });
  if (!is_los_own(in.ipv6_address))
    with_field(base + "/ipv6_address", [&] { add_address(net, index, in.ipv6_address); });
}

void connect_veth(Rtnetlink& host, Rtnetlink& net, const Network& in, const std::string& name,
                  int net_namespace, const std::string& id, const std::string& base) {
  int bridge = 0;
  with_field(base + "/bridge", [&] { bridge = existing_link(host, in.bridge); });
  with_field(base + "/host_interface_name", [&] { refuse_taken(host, in.host_interface_name); });
  with_field(base + "/name", [&] { refuse_taken(net, name); });
  with_field(base, [&] { make_pair(host, in, name, net_namespace); });
  with_field(base + "/bridge", [&] { attach_to_bridge(host, in, bridge, id); });
  const int index = existing_link(net, name);
  with_field(base + "/address", [&] { add_address(net, index, in.address); });
  with_field(base + "/ipv6_address", [&] { add_address(net, index, in.ipv6_address); });
  with_field(base, [&] { set_link_up(net, index); });
  if (const auto gateway = parse_ip(in.gateway))
    with_field(base + "/gateway", [&] { add_route(net, {{}, gateway, {}, index}); });
  if (const auto gateway = parse_ip(in.ipv6_gateway))
    with_field(base + "/ipv6_gateway", [&] { add_route(net, {{}, gateway, {}, index}); });
}

}  // namespace

void check_networks(const configs::Config& config) {
  if (config.find(configs::NamespaceType::network) == nullptr)
    throw Error("networks and routes need a network namespace of the container's own")
        .field(config.networks.empty() ? "/routes" : "/networks");
  each_with_field("networks", config.networks.size(), [&](size_t i, const std::string& base) {
    check_network(config.networks, i, base);
  });
  each_with_field("routes", config.routes.size(),
                  [&](size_t i, const std::string& base) { check_route(config.routes[i], base); });
}

void name_host_ends(std::vector<Network>& networks) {
  std::optional<Rtnetlink> host;
  for (Network& one : networks) {
    if (one.type != configs::kVeth) continue;
    std::string& name = one.host_interface_name;
    if (name.empty()) name = "veth" + std::string(kOpenEnd);
    if (!name.ends_with(kOpenEnd)) continue;
    const std::string prefix = name.substr(0, name.size() - kOpenEnd.size());
    if (!host) host.emplace();
    int attempts = 0;
    do {
      if (++attempts > kAttempts) throw Error("no name is free that begins with " + quote(prefix));
      name = random_name(prefix);
    } while (index_of(*host, name));
  }
}

void connect(const configs::Config& config, int net_namespace, const std::string& id) {
  if (is_own_namespace(net_namespace))
    throw Error("the container shares the host's network namespace").field("/networks");
  Rtnetlink host;
  Rtnetlink net(net_namespace);
  set_link_up(net, existing_link(net, "lo"));
  const std::vector<Network>& networks = config.networks;
  each_with_field("networks", networks.size(), [&](size_t i, const std::string& base) {
    if (networks[i].type == configs::kLoopback)
      connect_loopback(net, networks[i], base);
    else
      connect_veth(host, net, networks[i], name_of(networks, i), net_namespace, id, base);
  });
  each_with_field("routes", config.routes.size(), [&](size_t i, const std::string&) {
    const Route& in = config.routes[i];
    Way way{parse_ip_prefix(in.destination), parse_ip(in.gateway), source_of(in), {}};
    if (!in.interface_name.empty()) way.index = existing_link(net, in.interface_name);
    if (!way.destination && !way.gateway && !way.source)
      way.destination = parse_ip_prefix("0.0.0.0/0");
    add_route(net, way);
  });
}

void disconnect(const std::vector<Network>& networks, const std::string& id) {
  std::optional<Rtnetlink> host;
  for (const Network& one : networks) {
    if (one.type != configs::kVeth || one.host_interface_name.empty()) continue;
    if (!host) host.emplace();
    Request ask(RTM_GETLINK, 0, ifinfomsg{});
    ask.attribute(IFLA_IFNAME, one.host_interface_name);
    try {
      ifinfomsg head{};
      host->read(ask, [&](const Reply& reply) {
        const auto alias = reply.attribute(sizeof head, IFLA_IFALIAS).value_or("");
        // Another's may have got the name meanwhile.
        if (alias.substr(0, alias.find('\0')) == alias_of(id))
          head.ifi_index = reply.header<ifinfomsg>().ifi_index;
      });
      if (head.ifi_index == 0) continue;
      Request remove(RTM_DELLINK, 0, head);
      host->change(remove);
    } catch (const Error& e) {
      // It went with its namespace.
      if (e.code() != ENODEV) throw;
    }
  }
}

}  // namespace hull::network
