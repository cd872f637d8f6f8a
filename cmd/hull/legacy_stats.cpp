#include "cmd/hull/legacy_stats.h"

#include <nlohmann/json.hpp>

namespace hull::cmd {
namespace {

using Json = nlohmann::ordered_json;

Json network_of(const std::vector<cgroups::InterfaceStats>& interfaces) {
  cgroups::InterfaceStats sum;
  for (const cgroups::InterfaceStats& one : interfaces) {
    sum.rx_bytes += one.rx_bytes;
    sum.rx_packets += one.rx_packets;
    sum.rx_errors += one.rx_errors;
    sum.rx_dropped += one.rx_dropped;
    sum.tx_bytes += one.tx_bytes;
    sum.tx_packets += one.tx_packets;
    sum.tx_errors += one.tx_errors;
    sum.tx_dropped += one.tx_dropped;
  }
  return {{"rx_bytes", sum.rx_bytes},   {"rx_packets", sum.rx_packets},
          {"rx_errors", sum.rx_errors}, {"rx_dropped", sum.rx_dropped},
          {"tx_bytes", sum.tx_bytes},   {"tx_packets", sum.tx_packets},
          {"tx_errors", sum.tx_errors}, {"tx_dropped", sum.tx_dropped}};
}

Json cpu_of(const cgroups::CpuStats& in) {
  Json usage = {{"total_usage", in.total}};
  if (!in.percpu.empty()) usage["percpu_usage"] = in.percpu;
  usage["usage_in_kernelmode"] = in.kernel;
  usage["usage_in_usermode"] = in.user;
  return {{"cpu_usage", usage},
          {"throlling_data",
           {{"periods", in.periods},
            {"throttled_periods", in.throttled_periods},
            {"throttled_time", in.throttled_time}}}};
}

void put_entries(Json& object, const char* key, const std::vector<cgroups::BlockEntry>& entries) {
  for (const cgroups::BlockEntry& one : entries)
    object[key].push_back(
        {{"major", one.major}, {"minor", one.minor}, {"op", one.op}, {"value", one.value}});
}

Json block_of(const cgroups::BlockStats& in) {
  Json out = Json::object();
  put_entries(out, "io_service_bytes_recursive", in.service_bytes);
  put_entries(out, "io_serviced_recusrive", in.serviced);
  put_entries(out, "io_queue_recursive", in.queued);
  put_entries(out, "sectors_recursive", in.sectors);
  return out;
}

}  // namespace

std::string legacy_stats_json(const cgroups::Stats& stats) {
  const cgroups::MemoryStats& memory = stats.memory;
  Json out = Json::object();
  if (!stats.interfaces.empty()) out["network_stats"] = network_of(stats.interfaces);
  out["cgroup_stats"] = {{"cpu_stats", cpu_of(stats.cpu)},
                         {"memory_stats",
                          {{"usage", memory.usage.usage},
                           {"max_usage", memory.usage.max},
                           {"stats", memory.raw},
                           {"failcnt", memory.usage.fail_count}}},
                         {"blkio_stats", block_of(stats.block)}};
  return out.dump(1, '\t') + "\n";
}

}  // namespace hull::cmd
