#include "libruntime/network/statistics.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "libruntime/network/rtnetlink.h"
#include "libruntime/system/error.h"

namespace hull::network {
namespace {

cgroups::InterfaceStats swapped(const std::string& name, const rtnl_link_stats64& in) {
  return {name,        in.tx_bytes,   in.tx_packets, in.tx_errors, in.tx_dropped,
          in.rx_bytes, in.rx_packets, in.rx_errors,  in.rx_dropped};
}

}  // namespace

std::vector<cgroups::InterfaceStats> read_statistics(
    const std::vector<configs::Network>& networks) {
  std::vector<cgroups::InterfaceStats> out;
  std::optional<Rtnetlink> host;
  for (const configs::Network& one : networks) {
    if (one.type != configs::kVeth) continue;
    if (!host) host.emplace();
    Request request(RTM_GETLINK, 0, ifinfomsg{});
    request.attribute(IFLA_IFNAME, one.host_interface_name);
    try {
      host->read(request, [&](const Reply& reply) {
        const auto bytes = reply.attribute(sizeof(ifinfomsg), IFLA_STATS64);
        rtnl_link_stats64 stats{};
        if (!bytes) return;
        std::memcpy(&stats, bytes->data(), std::min(bytes->size(), sizeof stats));
        out.push_back(swapped(one.host_interface_name, stats));
      });
    } catch (const Error& e) {
      if (e.code() != ENODEV) throw;
    }
  }
  return out;
}

}  // namespace hull::network
