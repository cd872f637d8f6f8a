#include <cmath>

#include "libruntime/system/log.h"
#include "specconv/convert.h"

namespace hull::specconv {
namespace {

template <class From, class To>
void set(const std::optional<From>& from, To& to) {
  if (from) to = *from;
}

void convert_memory(const Memory& in, configs::Resources& out) {
  set(in.limit, out.memory);
  set(in.reservation, out.memory_reservation);
  set(in.swap, out.memory_swap);
  set(in.swappiness, out.memory_swappiness);
  set(in.disable_oom_killer, out.oom_kill_disable);
  set(in.check_before_update, out.memory_check_before_update);
  if (in.kernel || in.kernel_tcp)
    log::warning("kernel memory settings are ignored: kernels no longer have them");
  // cgroups(7): hierarchical accounting is all that kernels since 5.11 know.
  if (in.use_hierarchy && !*in.use_hierarchy)
    log::debug("memory.useHierarchy is ignored: kernels always account hierarchically");
}

void convert_cpu(const Cpu& in, configs::Resources& out) {
  if (in.shares) {
    out.cpu_shares = *in.shares;
    out.cpu_weight = cpu_weight(*in.shares);
  }
  set(in.quota, out.cpu_quota);
  set(in.burst, out.cpu_burst);
  set(in.period, out.cpu_period);
  set(in.realtime_runtime, out.cpu_rt_runtime);
  set(in.realtime_period, out.cpu_rt_period);
  if (!in.cpus.empty()) out.cpuset_cpus = in.cpus;
  if (!in.mems.empty()) out.cpuset_mems = in.mems;
  set(in.idle, out.cpu_idle);
}

std::vector<configs::ThrottleDevice> throttles(const std::vector<ThrottleDevice>& in) {
  std::vector<configs::ThrottleDevice> out;
  for (const ThrottleDevice& device : in) out.push_back({device.major, device.minor, device.rate});
  return out;
}

void convert_block_io(const BlockIo& in, configs::Resources& out) {
  set(in.weight, out.blkio_weight);
  set(in.leaf_weight, out.blkio_leaf_weight);
  for (const WeightDevice& device : in.weight_device)
    out.blkio_weight_device.push_back(
        {device.major, device.minor, device.weight.value_or(0), device.leaf_weight.value_or(0)});
  out.throttle_read_bps = throttles(in.throttle_read_bps);
  out.throttle_write_bps = throttles(in.throttle_write_bps);
  out.throttle_read_iops = throttles(in.throttle_read_iops);
  out.throttle_write_iops = throttles(in.throttle_write_iops);
}

}  // namespace

// The curve that meets 1, 100 and 10000 at 2, 1024 and 262144 shares (opencontainers/cgroups,
// crun and youki use the same).
uint64_t cpu_weight(uint64_t shares) {
  if (shares == 0) return 0;
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  const double l = std::log2(static_cast<double>(shares));
  const double exponent = (l * l + 125 * l) / 612.0 - 7.0 / 34.0;
  return static_cast<uint64_t>(std::ceil(std::pow(10, exponent)));
}

configs::Resources to_limits(const Resources& in) {
  configs::Resources out;
  if (in.memory) convert_memory(*in.memory, out);
  if (in.cpu) convert_cpu(*in.cpu, out);
  // Any negative number is "no limit", of which -1 is the name.
  if (in.pids_limit) out.pids_limit = *in.pids_limit < 0 ? -1 : *in.pids_limit;
  if (in.block_io) convert_block_io(*in.block_io, out);
  out.hugetlb = in.hugepage_limits;
  if (in.network) {
    set(in.network->class_id, out.net_cls_classid);
    out.net_prio = in.network->priorities;
  }
  out.rdma = in.rdma;
  out.unified = in.unified;
  return out;
}

}  // namespace hull::specconv
