#include <algorithm>
#include <cerrno>
#include <string>

#include "libruntime/cgroups/limit_files.h"
#include "libruntime/cgroups/limit_groups.h"
#include "libruntime/cgroups/limits.h"
#include "libruntime/system/error.h"

namespace hull::cgroups {
namespace {

using configs::Resources;
using std::to_string;

std::string device_line(int64_t major, int64_t minor, uint64_t value) {
  return to_string(major) + ":" + to_string(minor) + " " + to_string(value);
}

std::string nth(std::string_view field, size_t index) {
  return std::string(field) + "/" + to_string(index);
}

// EBUSY says that the kernel could not reclaim enough: the numbers tell the user how much is
// missing.
void write_memory(const LimitFiles& files, std::string_view file, int64_t bytes,
                  std::string_view field) {
  const int code = files.try_write(file, to_string(bytes));
  if (code == 0) return;
  if (code == EBUSY)
    throw Error("cannot set memory limit to " + to_string(bytes) +
                    " (current usage: " + files.read("memory.usage_in_bytes").value_or("?") +
                    ", peak usage: " + files.read("memory.max_usage_in_bytes").value_or("?") + ")",
                "write", code)
        .field(field);
  if (code == EINVAL && file == "memory.limit_in_bytes" && bytes > 0 &&
      files.read_number("memory.memsw.limit_in_bytes").value_or(bytes) < bytes)
    throw Error("cannot set memory limit to " + to_string(bytes) +
                    ": it is above the limit of memory and swap together",
                "write", code)
        .field(field)
        .hint("raise that one, too");
  if (code == ENOENT && file == "memory.memsw.limit_in_bytes")
    throw Error("cannot limit swap: the kernel does not account it", "open", code)
        .field(field)
        .hint("boot with swapaccount=1, or leave the swap limit out");
  files.throw_error(file, to_string(bytes), field, code);
}

void check_usage(const LimitFiles& files, const Resources& r) {
  if (!r.memory_check_before_update || r.memory <= 0) return;
  const int64_t usage = files.read_number("memory.usage_in_bytes").value_or(0);
  if (usage > r.memory)
    throw Error("memory limit " + to_string(r.memory) + " is below the current usage " +
                to_string(usage))
        .field("/linux/resources/memory/limit");
}

// The kernel keeps memory <= memory+swap at every moment, so the one that makes room goes first.
void set_memory_and_swap(const LimitFiles& files, const Resources& r) {
  constexpr std::string_view kMemory = "memory.limit_in_bytes";
  constexpr std::string_view kBoth = "memory.memsw.limit_in_bytes";
  constexpr std::string_view kMemoryField = "/linux/resources/memory/limit";
  constexpr std::string_view kBothField = "/linux/resources/memory/swap";
  int64_t both = r.memory_swap;
  // "No limit on memory" would fail below a limit on both, and means both when swap is not spoken
  // of.
  if (r.memory == -1 && both == 0 && files.read(kBoth)) both = -1;
  if (r.memory > 0 && both > 0 && both < r.memory)
    throw Error("the limit of memory and swap together is below that of memory").field(kBothField);
  const bool both_first =
      both != 0 && (both == -1 || files.read_number(kMemory).value_or(0) < both);
  if (both_first) write_memory(files, kBoth, both, kBothField);
  if (r.memory != 0) write_memory(files, kMemory, r.memory, kMemoryField);
  if (both != 0 && !both_first) write_memory(files, kBoth, both, kBothField);
}

void set_memory(const LimitFiles& files, const Resources& r) {
  check_usage(files, r);
  set_memory_and_swap(files, r);
  if (r.memory_reservation != 0)
    write_memory(files, "memory.soft_limit_in_bytes", r.memory_reservation,
                 "/linux/resources/memory/reservation");
  if (r.memory_swappiness) {
    constexpr std::string_view kField = "/linux/resources/memory/swappiness";
    if (*r.memory_swappiness > 100) throw Error("swappiness must be 0 to 100").field(kField);
    files.write("memory.swappiness", to_string(*r.memory_swappiness), kField);
  }
  if (r.oom_kill_disable)
    files.write("memory.oom_control", *r.oom_kill_disable ? "1" : "0",
                "/linux/resources/memory/disableOOMKiller");
}

// The kernel clamps the value without a word.
void set_shares(const LimitFiles& files, uint64_t shares) {
  constexpr std::string_view kField = "/linux/resources/cpu/shares";
  files.write("cpu.shares", to_string(shares), kField);
  const auto kept = static_cast<uint64_t>(files.read_number("cpu.shares").value_or(0));
  if (kept == shares) return;
  throw Error("cpu shares " + to_string(shares) + ": the " +
              (shares > kept ? "maximum" : "minimum") + " allowed is " + to_string(kept))
      .field(kField);
}

// False when the kernel refuses the value beside another one that is still to be written (EINVAL):
// then it is tried again after that.
bool write_now(const LimitFiles& files, std::string_view file, const std::string& value,
               std::string_view field, bool later) {
  const int code = files.try_write(file, value);
  if (code == EINVAL && later) return false;
  if (code != 0) files.throw_error(file, value, field, code);
  return true;
}

void set_bandwidth(const LimitFiles& files, const Resources& r) {
  constexpr std::string_view kPeriod = "/linux/resources/cpu/period";
  constexpr std::string_view kBurst = "/linux/resources/cpu/burst";
  const bool quota = r.cpu_quota != 0;
  const std::string burst = to_string(r.cpu_burst.value_or(0));
  const bool period_done = r.cpu_period == 0 || write_now(files, "cpu.cfs_period_us",
                                                          to_string(r.cpu_period), kPeriod, quota);
  const bool burst_done =
      !r.cpu_burst || write_now(files, "cpu.cfs_burst_us", burst, kBurst, quota);
  if (quota) files.write("cpu.cfs_quota_us", to_string(r.cpu_quota), "/linux/resources/cpu/quota");
  if (!period_done) files.write("cpu.cfs_period_us", to_string(r.cpu_period), kPeriod);
  if (!burst_done) files.write("cpu.cfs_burst_us", burst, kBurst);
}

void set_realtime(const LimitFiles& files, const Resources& r) {
  constexpr std::string_view kPeriod = "/linux/resources/cpu/realtimePeriod";
  const bool runtime = r.cpu_rt_runtime != 0;
  const bool period_done =
      r.cpu_rt_period == 0 ||
      write_now(files, "cpu.rt_period_us", to_string(r.cpu_rt_period), kPeriod, runtime);
  if (runtime)
    files.write("cpu.rt_runtime_us", to_string(r.cpu_rt_runtime),
                "/linux/resources/cpu/realtimeRuntime");
  if (!period_done) files.write("cpu.rt_period_us", to_string(r.cpu_rt_period), kPeriod);
}

void set_cpu(const LimitFiles& files, const Resources& r) {
  set_realtime(files, r);
  if (r.cpu_idle) {
    // Back from "1" the default is left of it.
    if (files.read("cpu.idle") == "0") files.remember("cpu.shares");
    files.write("cpu.idle", to_string(*r.cpu_idle), "/linux/resources/cpu/idle");
  }
  // An idle group has the lowest weight of all, and the kernel refuses shares for it.
  if (r.cpu_shares != 0 && r.cpu_idle.value_or(0) == 0) set_shares(files, r.cpu_shares);
  set_bandwidth(files, r);
}

void set_cpuset(const LimitFiles& files, const Resources& r) {
  if (!r.cpuset_cpus.empty())
    files.write("cpuset.cpus", r.cpuset_cpus, "/linux/resources/cpu/cpus");
  if (!r.cpuset_mems.empty())
    files.write("cpuset.mems", r.cpuset_mems, "/linux/resources/cpu/mems");
}

void set_pids(const LimitFiles& files, const Resources& r) {
  files.write("pids.max", *r.pids_limit < 0 ? "max" : to_string(*r.pids_limit),
              "/linux/resources/pids/limit");
}

void set_throttle(const LimitFiles& files, std::string_view file, std::string_view field,
                  const std::vector<configs::ThrottleDevice>& devices) {
  for (size_t i = 0; i < devices.size(); ++i)
    files.write(file, device_line(devices[i].major, devices[i].minor, devices[i].rate),
                nth(field, i));
}

// CFQ's files went with Linux 5.0; BFQ has its own.
void set_block_weights(const LimitFiles& files, const Resources& r) {
  if (r.blkio_weight == 0 && r.blkio_weight_device.empty()) return;
  const bool bfq = !files.read("blkio.weight") && files.read("blkio.bfq.weight");
  const std::string_view one = bfq ? "blkio.bfq.weight" : "blkio.weight";
  const std::string_view device = bfq ? "blkio.bfq.weight_device" : "blkio.weight_device";
  if (r.blkio_weight != 0)
    files.write(one, to_string(r.blkio_weight), "/linux/resources/blockIO/weight");
  for (size_t i = 0; i < r.blkio_weight_device.size(); ++i) {
    const configs::WeightDevice& d = r.blkio_weight_device[i];
    const std::string field = nth("/linux/resources/blockIO/weightDevice", i);
    if (d.weight != 0) files.write(device, device_line(d.major, d.minor, d.weight), field);
    if (d.leaf_weight != 0)
      files.write("blkio.leaf_weight_device", device_line(d.major, d.minor, d.leaf_weight), field);
  }
}

void set_blkio(const LimitFiles& files, const Resources& r) {
  set_block_weights(files, r);
  if (r.blkio_leaf_weight != 0)
    files.write("blkio.leaf_weight", to_string(r.blkio_leaf_weight),
                "/linux/resources/blockIO/leafWeight");
  set_throttle(files, "blkio.throttle.read_bps_device",
               "/linux/resources/blockIO/throttleReadBpsDevice", r.throttle_read_bps);
  set_throttle(files, "blkio.throttle.write_bps_device",
               "/linux/resources/blockIO/throttleWriteBpsDevice", r.throttle_write_bps);
  set_throttle(files, "blkio.throttle.read_iops_device",
               "/linux/resources/blockIO/throttleReadIOPSDevice", r.throttle_read_iops);
  set_throttle(files, "blkio.throttle.write_iops_device",
               "/linux/resources/blockIO/throttleWriteIOPSDevice", r.throttle_write_iops);
}

void set_hugetlb(const LimitFiles& files, const Resources& r) {
  for (size_t i = 0; i < r.hugetlb.size(); ++i) {
    const std::string prefix = "hugetlb." + r.hugetlb[i].page_size;
    const std::string limit = to_string(r.hugetlb[i].limit);
    const std::string field = nth("/linux/resources/hugepageLimits", i);
    files.write(prefix + ".limit_in_bytes", limit, field);
    // Reservations are limited too where the kernel can (5.7): else a process that reserved too
    // much dies by SIGBUS.
    const int code = files.try_write(prefix + ".rsvd.limit_in_bytes", limit);
    if (code != 0 && code != ENOENT)
      files.throw_error(prefix + ".rsvd.limit_in_bytes", limit, field, code);
  }
}

void set_net_cls(const LimitFiles& files, const Resources& r) {
  files.write("net_cls.classid", to_string(r.net_cls_classid), "/linux/resources/network/classID");
}

void set_net_prio(const LimitFiles& files, const Resources& r) {
  for (size_t i = 0; i < r.net_prio.size(); ++i)
    files.write("net_prio.ifpriomap",
                r.net_prio[i].interface + " " + to_string(r.net_prio[i].priority),
                nth("/linux/resources/network/priorities", i));
}

void set_rdma(const LimitFiles& files, const Resources& r) { write_rdma_limits(files, r.rdma); }

struct Setter {
  std::string_view controller;
  void (*set)(const LimitFiles& files, const Resources& r);
};
constexpr Setter kSetters[] = {
    {"memory", set_memory},   {"cpu", set_cpu},           {"cpuset", set_cpuset},
    {"pids", set_pids},       {"blkio", set_blkio},       {"hugetlb", set_hugetlb},
    {"net_cls", set_net_cls}, {"net_prio", set_net_prio}, {"rdma", set_rdma},
};

}  // namespace

void set_v1_limits(const std::map<std::string, std::string>& paths, const Resources& resources,
                   FormerLimits* former) {
  for (const LimitGroup* group : asked_groups(resources)) {
    const auto path = paths.find(std::string(group->v1));
    if (path == paths.end())
      throw Error("the " + std::string(group->v1) + " controller is not mounted")
          .field(group->field)
          .hint("mount it below /sys/fs/cgroup, or leave its limits out");
    const auto* setter = std::ranges::find(kSetters, group->v1, &Setter::controller);
    setter->set(LimitFiles(path->second, former), resources);
  }
}

}  // namespace hull::cgroups
