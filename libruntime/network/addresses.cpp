#include "libruntime/network/addresses.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "libruntime/system/text.h"

namespace hull::network {

std::optional<IpAddress> parse_ip(const std::string& text) {
  for (const int family : {AF_INET, AF_INET6}) {
    IpAddress out{family, std::string(family == AF_INET ? 4 : 16, '\0')};
    if (inet_pton(family, text.c_str(), out.bytes.data()) == 1) return out;
  }
  return std::nullopt;
}

std::optional<IpPrefix> parse_ip_prefix(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const auto address = parse_ip(text.substr(0, slash));
  const auto length = parse_number<uint8_t>(std::string_view(text).substr(slash + 1));
  if (!address || !length || *length > address->bytes.size() * 8) return std::nullopt;
  return IpPrefix{*address, *length};
}

std::optional<std::string> broadcast_of(const IpPrefix& prefix) {
  if (prefix.address.family != AF_INET || prefix.length > 30) return std::nullopt;
  std::string out = prefix.address.bytes;
  for (size_t bit = prefix.length; bit < 32; ++bit)
    out[bit / 8] = static_cast<char>(static_cast<unsigned char>(out[bit / 8]) | (0x80 >> bit % 8));
  return out;
}

std::optional<std::string> parse_mac(const std::string& text) {
  std::string out;
  for (const std::string_view part : split(text, ':')) {
    const auto byte = parse_number<uint8_t>(part, 16);
    if (!byte || part.size() != 2) return std::nullopt;
    out += static_cast<char>(*byte);
  }
  return out.size() == 6 ? std::optional(out) : std::nullopt;
}

}  // namespace hull::network
