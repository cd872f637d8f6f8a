#include <algorithm>
#include <cerrno>
#include <cmath>
#include <optional>
#include <string>

#include "libruntime/cgroups/limit_files.h"
#include "libruntime/cgroups/limit_groups.h"
#include "libruntime/cgroups/limits.h"
#include "libruntime/system/error.h"
#include "libruntime/system/text.h"

namespace hull::cgroups {
namespace {

using configs::Resources;
using std::to_string;

std::string or_max(int64_t value) { return value < 0 ? "max" : to_string(value); }

std::string nth(std::string_view field, size_t index) {
  return std::string(field) + "/" + to_string(index);
}

std::string device_name(int64_t major, int64_t minor) {
  return to_string(major) + ":" + to_string(minor);
}

// What only v1 can do. Silence would leave the user without a limit that the config promises.
void refuse_v1_only(const Resources& r) {
  const auto refuse = [](bool asked, std::string_view what, std::string_view field) {
    if (asked)
      throw Error("cgroup v2 has no " + std::string(what))
          .field(field)
          .hint("remove it from the config, or use a host with cgroup v1");
  };
  refuse(r.memory_swappiness.has_value(), "swappiness", "/linux/resources/memory/swappiness");
  refuse(r.oom_kill_disable.value_or(false), "way to disable the OOM killer",
         "/linux/resources/memory/disableOOMKiller");
  refuse(r.cpu_rt_runtime != 0, "real-time runtime", "/linux/resources/cpu/realtimeRuntime");
  refuse(r.cpu_rt_period != 0, "real-time period", "/linux/resources/cpu/realtimePeriod");
  refuse(r.blkio_leaf_weight != 0, "leaf weight", "/linux/resources/blockIO/leafWeight");
  for (size_t i = 0; i < r.blkio_weight_device.size(); ++i)
    refuse(r.blkio_weight_device[i].leaf_weight != 0, "leaf weight",
           nth("/linux/resources/blockIO/weightDevice", i) + "/leafWeight");
  refuse(r.net_cls_classid != 0, "network class", "/linux/resources/network/classID");
  refuse(!r.net_prio.empty(), "network priorities", "/linux/resources/network/priorities");
}

void check_usage(const LimitFiles& files, const Resources& r) {
  if (!r.memory_check_before_update) return;
  const int64_t usage = files.read_number("memory.current").value_or(0);
  if (r.memory > 0 && usage > r.memory)
    throw Error("memory limit " + to_string(r.memory) + " is below the current usage " +
                to_string(usage))
        .field("/linux/resources/memory/limit");
  const int64_t both = usage + files.read_number("memory.swap.current").value_or(0);
  if (r.memory_swap > 0 && both > r.memory_swap)
    throw Error("the limit of memory and swap together, " + to_string(r.memory_swap) +
                ", is below the current usage " + to_string(both))
        .field("/linux/resources/memory/swap");
}

void set_memory(const LimitFiles& files, const Resources& r) {
  check_usage(files, r);
  if (const std::string swap = swap_max(r.memory, r.memory_swap); !swap.empty()) {
    const int code = files.try_write("memory.swap.max", swap);
    // Without swap accounting there is no swap to limit, and none to forbid.
    const bool harmless = code == ENOENT && (swap == "max" || swap == "0");
    if (code != 0 && !harmless)
      files.throw_error("memory.swap.max", swap, "/linux/resources/memory/swap", code);
  }
  if (r.memory != 0) files.write("memory.max", or_max(r.memory), "/linux/resources/memory/limit");
  if (r.memory_reservation != 0)
    files.write("memory.low", or_max(r.memory_reservation), "/linux/resources/memory/reservation");
}

// "QUOTA PERIOD", of which the kernel keeps the period when it is not named.
std::string cpu_max(const LimitFiles& files, const Resources& r) {
  const std::string period = r.cpu_period != 0 ? " " + to_string(r.cpu_period) : "";
  if (r.cpu_quota != 0) return or_max(r.cpu_quota) + period;
  const std::string kept = files.read("cpu.max").value_or("");
  return (kept.empty() ? "max" : kept.substr(0, kept.find(' '))) + period;
}

void set_bandwidth(const LimitFiles& files, const Resources& r) {
  constexpr std::string_view kBurst = "/linux/resources/cpu/burst";
  const bool max = r.cpu_quota != 0 || r.cpu_period != 0;
  const std::string burst = to_string(r.cpu_burst.value_or(0));
  bool burst_done = !r.cpu_burst;
  if (!burst_done) {
    // It must not exceed the quota, which may be still the old one: then again after it.
    const int code = files.try_write("cpu.max.burst", burst);
    if (code != 0 && !(code == EINVAL && max))
      files.throw_error("cpu.max.burst", burst, kBurst, code);
    burst_done = code == 0;
  }
  if (max)
    files.write("cpu.max", cpu_max(files, r),
                r.cpu_quota != 0 ? "/linux/resources/cpu/quota" : "/linux/resources/cpu/period");
  if (!burst_done) files.write("cpu.max.burst", burst, kBurst);
}

void set_cpu(const LimitFiles& files, const Resources& r) {
  if (r.cpu_idle) {
    // Back from "1" the default is left of it.
    if (files.read("cpu.idle") == "0") files.remember("cpu.weight");
    files.write("cpu.idle", to_string(*r.cpu_idle), "/linux/resources/cpu/idle");
  }
  const uint64_t weight = r.cpu_weight != 0 ? r.cpu_weight : weight_of_shares(r.cpu_shares);
  // An idle group has the lowest weight of all, and the kernel refuses another for it.
  if (weight != 0 && r.cpu_idle.value_or(0) == 0)
    files.write("cpu.weight", to_string(weight), "/linux/resources/cpu/shares");
  set_bandwidth(files, r);
}

void set_cpuset(const LimitFiles& files, const Resources& r) {
  if (!r.cpuset_cpus.empty())
    files.write("cpuset.cpus", r.cpuset_cpus, "/linux/resources/cpu/cpus");
  if (!r.cpuset_mems.empty())
    files.write("cpuset.mems", r.cpuset_mems, "/linux/resources/cpu/mems");
}

// With 0 no process could be born in the cgroup (CLONE_INTO_CGROUP), not even the container's
// first; with 1 that one is born and can't fork, which is what 0 asks for.
void set_pids(const LimitFiles& files, const Resources& r) {
  const int64_t limit = *r.pids_limit == 0 ? 1 : *r.pids_limit;
  files.write("pids.max", or_max(limit), "/linux/resources/pids/limit");
}

void set_io_weights(const LimitFiles& files, const Resources& r) {
  if (r.blkio_weight == 0 && r.blkio_weight_device.empty()) return;
  const bool bfq = files.read("io.bfq.weight").has_value();
  const std::string_view file = bfq ? "io.bfq.weight" : "io.weight";
  const auto convert = [&](uint64_t weight) { return to_string(bfq ? weight : io_weight(weight)); };
  if (r.blkio_weight != 0)
    files.write(file, convert(r.blkio_weight), "/linux/resources/blockIO/weight");
  for (size_t i = 0; i < r.blkio_weight_device.size(); ++i) {
    const configs::WeightDevice& d = r.blkio_weight_device[i];
    if (d.weight != 0)
      files.write(file, device_name(d.major, d.minor) + " " + convert(d.weight),
                  nth("/linux/resources/blockIO/weightDevice", i));
  }
}

void set_io_max(const LimitFiles& files, std::string_view key, std::string_view field,
                const std::vector<configs::ThrottleDevice>& devices) {
  for (size_t i = 0; i < devices.size(); ++i)
    files.write("io.max",
                device_name(devices[i].major, devices[i].minor) + " " + std::string(key) + "=" +
                    (devices[i].rate == 0 ? "max" : to_string(devices[i].rate)),
                nth(field, i));
}

void set_io(const LimitFiles& files, const Resources& r) {
  set_io_weights(files, r);
  set_io_max(files, "rbps", "/linux/resources/blockIO/throttleReadBpsDevice", r.throttle_read_bps);
  set_io_max(files, "wbps", "/linux/resources/blockIO/throttleWriteBpsDevice",
             r.throttle_write_bps);
  set_io_max(files, "riops", "/linux/resources/blockIO/throttleReadIOPSDevice",
             r.throttle_read_iops);
  set_io_max(files, "wiops", "/linux/resources/blockIO/throttleWriteIOPSDevice",
             r.throttle_write_iops);
}

void set_hugetlb(const LimitFiles& files, const Resources& r) {
  for (size_t i = 0; i < r.hugetlb.size(); ++i) {
    const std::string prefix = "hugetlb." + r.hugetlb[i].page_size;
    const std::string limit = to_string(r.hugetlb[i].limit);
    const std::string field = nth("/linux/resources/hugepageLimits", i);
    files.write(prefix + ".max", limit, field);
    // Since 5.7: else a process that reserved too much dies by SIGBUS.
    const int code = files.try_write(prefix + ".rsvd.max", limit);
    if (code != 0 && code != ENOENT) files.throw_error(prefix + ".rsvd.max", limit, field, code);
  }
}

void check_unified_key(const std::string& file, const std::string& field) {
  if (file.find('/') != std::string::npos)
    throw Error("unified resource " + quote(file) + " must be a file name (no slashes)")
        .field(field);
  const size_t dot = file.find('.');
  if (dot == std::string::npos || dot == 0)
    throw Error("unified resource " + quote(file) + " must be in the form CONTROLLER.PARAMETER")
        .field(field);
}

void set_unified(const LimitFiles& files, const std::vector<std::string>& controllers,
                 const std::map<std::string, std::string>& unified) {
  for (const auto& [file, value] : unified) {
    const std::string field = "/linux/resources/unified/" + file;
    check_unified_key(file, field);
    const std::string controller(controller_of(file));
    if (controller != "cgroup" && std::ranges::count(controllers, controller) == 0)
      throw Error("unified resource " + quote(file) + " can't be set: controller " +
                  quote(controller) + " not available")
          .field(field);
    if (value.empty()) files.write(file, "\n", field);  // back to the default, as of cpuset.cpus
    for (const std::string_view line : split(value, '\n'))
      if (!line.empty()) files.write(file, line, field);
  }
}

}  // namespace

// Set by three points, 2 -> 1, 1024 -> 100 and 262144 -> 10000, on a parabola of the logarithms.
uint64_t weight_of_shares(uint64_t shares) {
  if (shares == 0) return 0;
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  const double l = std::log2(static_cast<double>(shares));
  const double exponent = (l * l + 125 * l) / 612.0 - 7.0 / 34.0;
  return static_cast<uint64_t>(std::ceil(std::pow(10, exponent)));
}

uint64_t io_weight(uint64_t blkio_weight) {
  if (blkio_weight < 10) return blkio_weight == 0 ? 0 : 1;
  return std::min<uint64_t>(1 + (blkio_weight - 10) * 9999 / 990, 10000);
}

std::string swap_max(int64_t memory, int64_t memory_and_swap) {
  constexpr std::string_view kField = "/linux/resources/memory/swap";
  if (memory == -1 && memory_and_swap == 0) return "max";  // no limit on memory means none on both
  if (memory_and_swap == 0) return "";
  if (memory_and_swap < 0) return "max";
  if (memory == -1) return to_string(memory_and_swap);
  if (memory == 0) throw Error("cannot limit swap without a memory limit").field(kField);
  if (memory_and_swap < memory)
    throw Error("the limit of memory and swap together is below that of memory").field(kField);
  return to_string(memory_and_swap - memory);
}

void write_rdma_limits(const LimitFiles& files,
                       const std::map<std::string, configs::RdmaLimit>& limits) {
  for (const auto& [device, limit] : limits) {
    std::string line = device;
    if (limit.hca_handles) line += " hca_handle=" + to_string(*limit.hca_handles);
    if (limit.hca_objects) line += " hca_object=" + to_string(*limit.hca_objects);
    files.write("rdma.max", line, "/linux/resources/rdma/" + device);
  }
}

void set_v2_limits(const std::string& dir, const std::vector<std::string>& controllers,
                   const Resources& r, FormerLimits* former) {
  const LimitFiles files(dir, former);
  refuse_v1_only(r);
  for (const LimitGroup* group : asked_groups(r)) {
    if (group->v2 == "memory") set_memory(files, r);
    if (group->v2 == "cpu") set_cpu(files, r);
    if (group->v2 == "cpuset") set_cpuset(files, r);
    if (group->v2 == "pids") set_pids(files, r);
    if (group->v2 == "io") set_io(files, r);
    if (group->v2 == "hugetlb") set_hugetlb(files, r);
    if (group->v2 == "rdma") write_rdma_limits(files, r.rdma);
  }
  set_unified(files, controllers, r.unified);
}

}  // namespace hull::cgroups
