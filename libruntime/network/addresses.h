#pragma once

#include <cstdint>
#include <optional>
#include <string>

// Addresses as text and as the kernel takes them.
namespace hull::network {

struct IpAddress {
  int family = 0;     // AF_INET, AF_INET6
  std::string bytes;  // 4 or 16
};

// An address and how many bits of it name its network.
struct IpPrefix {
  IpAddress address;
  uint8_t length = 0;
};

// "172.17.42.1", "2001:db8::1". Nothing when it is something else.
std::optional<IpAddress> parse_ip(const std::string& text);

// "172.17.42.2/16".
std::optional<IpPrefix> parse_ip_prefix(const std::string& text);

// The last address of an IPv4 network; nothing where there is none (RFC 3021, IPv6).
std::optional<std::string> broadcast_of(const IpPrefix& prefix);

// "02:42:ac:11:00:02": six bytes.
std::optional<std::string> parse_mac(const std::string& text);

}  // namespace hull::network
