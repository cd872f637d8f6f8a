#include "libruntime/cgroups/limit_groups.h"

#include <algorithm>
#include <array>

namespace hull::cgroups {
namespace {

using configs::Resources;

constexpr std::array kGroups{
    LimitGroup{"memory", "memory", false, "/linux/resources/memory",
               [](const Resources& r) {
                 return r.memory != 0 || r.memory_reservation != 0 || r.memory_swap != 0 ||
                        r.memory_swappiness.has_value() || r.oom_kill_disable.has_value();
               },
               [](const Resources& from, Resources& to) {
                 to.memory = from.memory;
                 to.memory_reservation = from.memory_reservation;
                 to.memory_swap = from.memory_swap;
                 to.memory_swappiness = from.memory_swappiness;
                 to.oom_kill_disable = from.oom_kill_disable;
                 to.memory_check_before_update = from.memory_check_before_update;
               }},
    LimitGroup{"cpu", "cpu", true, "/linux/resources/cpu",
               [](const Resources& r) {
                 return r.cpu_shares != 0 || r.cpu_quota != 0 || r.cpu_burst.has_value() ||
                        r.cpu_period != 0 || r.cpu_rt_runtime != 0 || r.cpu_rt_period != 0 ||
                        r.cpu_idle.has_value() || r.cpu_weight != 0;
               },
               [](const Resources& from, Resources& to) {
                 to.cpu_shares = from.cpu_shares;
                 to.cpu_quota = from.cpu_quota;
                 to.cpu_burst = from.cpu_burst;
                 to.cpu_period = from.cpu_period;
                 to.cpu_rt_runtime = from.cpu_rt_runtime;
                 to.cpu_rt_period = from.cpu_rt_period;
                 to.cpu_weight = from.cpu_weight;
                 to.cpu_idle = from.cpu_idle;
               }},
    LimitGroup{"cpuset", "cpuset", true, "/linux/resources/cpu",
               [](const Resources& r) { return !r.cpuset_cpus.empty() || !r.cpuset_mems.empty(); },
               [](const Resources& from, Resources& to) {
                 to.cpuset_cpus = from.cpuset_cpus;
                 to.cpuset_mems = from.cpuset_mems;
               }},
    LimitGroup{"pids", "pids", true, "/linux/resources/pids",
               [](const Resources& r) { return r.pids_limit.has_value(); },
               [](const Resources& from, Resources& to) { to.pids_limit = from.pids_limit; }},
    LimitGroup{"blkio", "io", false, "/linux/resources/blockIO",
               [](const Resources& r) {
                 return r.blkio_weight != 0 || r.blkio_leaf_weight != 0 ||
                        !r.blkio_weight_device.empty() || !r.throttle_read_bps.empty() ||
                        !r.throttle_write_bps.empty() || !r.throttle_read_iops.empty() ||
                        !r.throttle_write_iops.empty();
               },
               [](const Resources& from, Resources& to) {
                 to.blkio_weight = from.blkio_weight;
                 to.blkio_leaf_weight = from.blkio_leaf_weight;
                 to.blkio_weight_device = from.blkio_weight_device;
                 to.throttle_read_bps = from.throttle_read_bps;
                 to.throttle_write_bps = from.throttle_write_bps;
                 to.throttle_read_iops = from.throttle_read_iops;
                 to.throttle_write_iops = from.throttle_write_iops;
               }},
    LimitGroup{"hugetlb", "hugetlb", false, "/linux/resources/hugepageLimits",
               [](const Resources& r) { return !r.hugetlb.empty(); },
               [](const Resources& from, Resources& to) { to.hugetlb = from.hugetlb; }},
    LimitGroup{
        "net_cls", "", false, "/linux/resources/network/classID",
        [](const Resources& r) { return r.net_cls_classid != 0; },
        [](const Resources& from, Resources& to) { to.net_cls_classid = from.net_cls_classid; }},
    LimitGroup{"net_prio", "", false, "/linux/resources/network/priorities",
               [](const Resources& r) { return !r.net_prio.empty(); },
               [](const Resources& from, Resources& to) { to.net_prio = from.net_prio; }},
    LimitGroup{"rdma", "rdma", false, "/linux/resources/rdma",
               [](const Resources& r) { return !r.rdma.empty(); },
               [](const Resources& from, Resources& to) { to.rdma = from.rdma; }},
};

// cgroups(7): these and perf_event, which has no files, work on threads.
bool is_threaded(std::string_view controller) {
  return controller == "cpu" || controller == "cpuset" || controller == "pids" ||
         controller == "perf_event" || controller == "cgroup";
}

}  // namespace

std::vector<const LimitGroup*> asked_groups(const Resources& resources) {
  std::vector<const LimitGroup*> out;
  for (const LimitGroup& group : kGroups)
    if (group.asked(resources)) out.push_back(&group);
  return out;
}

std::string_view controller_of(std::string_view file) { return file.substr(0, file.find('.')); }

std::vector<NeededController> needed_v2_controllers(const Resources& resources) {
  std::vector<NeededController> out;
  const auto add = [&](std::string_view name, std::string field, bool threaded) {
    if (std::ranges::find(out, name, &NeededController::name) == out.end())
      out.push_back({std::string(name), std::move(field), threaded});
  };
  for (const LimitGroup* group : asked_groups(resources))
    if (!group->v2.empty()) add(group->v2, std::string(group->field), group->threaded);
  for (const auto& [file, value] : resources.unified) {
    const std::string_view name = controller_of(file);
    if (name != "cgroup") add(name, "/linux/resources/unified/" + file, is_threaded(name));
  }
  return out;
}

}  // namespace hull::cgroups
