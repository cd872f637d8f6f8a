#include "specconv/parse_parts.h"

// Networks and routes have no place in the specification: runc's state.json gives the names.
namespace hull::specconv {

void read_network(const Node& node, configs::Network& out) {
  node.read("type", out.type);
  node.read("name", out.name);
  node.read("bridge", out.bridge);
  node.read("mac_address", out.mac_address);
  node.read("address", out.address);
  node.read("gateway", out.gateway);
  node.read("ipv6_address", out.ipv6_address);
  node.read("ipv6_gateway", out.ipv6_gateway);
  node.read("mtu", out.mtu);
  node.read("txqueuelen", out.tx_queue_length);
  node.read("host_interface_name", out.host_interface_name);
  node.read("hairpin_mode", out.hairpin_mode);
}

void read_route(const Node& node, configs::Route& out) {
  node.read("destination", out.destination);
  node.read("source", out.source);
  node.read("gateway", out.gateway);
  node.read("interface_name", out.interface_name);
}

}  // namespace hull::specconv
