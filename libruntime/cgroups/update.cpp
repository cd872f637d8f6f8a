#include "libruntime/cgroups/update.h"

#include <algorithm>

namespace hull::cgroups {
namespace {

using configs::Resources;

template <class T>
bool is_set(const std::optional<T>& value) {
  return value.has_value();
}
template <class T>
bool is_set(const T& value) {
  return value != T{};
}

template <class... Members>
void take(Resources& out, const Resources& changes, Members... members) {
  const auto one = [&](auto member) {
    if (is_set(changes.*member)) out.*member = changes.*member;
  };
  (one(members), ...);
}

// The entry of `list` that `same` finds; a new one when there is none.
template <class T, class Same>
T& entry_of(std::vector<T>& list, Same same) {
  const auto known = std::ranges::find_if(list, same);
  return known != list.end() ? *known : list.emplace_back();
}

template <class Device>
Device& device_entry(std::vector<Device>& list, const Device& like) {
  return entry_of(
      list, [&](const Device& one) { return one.major == like.major && one.minor == like.minor; });
}

void take_weights(std::vector<configs::WeightDevice>& list,
                  const std::vector<configs::WeightDevice>& changes) {
  for (const configs::WeightDevice& change : changes) {
    configs::WeightDevice& one = device_entry(list, change);
    one.major = change.major;
    one.minor = change.minor;
    if (change.weight != 0) one.weight = change.weight;
    if (change.leaf_weight != 0) one.leaf_weight = change.leaf_weight;
  }
}

void take_throttles(std::vector<configs::ThrottleDevice>& list,
                    const std::vector<configs::ThrottleDevice>& changes) {
  for (const configs::ThrottleDevice& change : changes) device_entry(list, change) = change;
}

void take_lists(Resources& out, const Resources& changes) {
  take_weights(out.blkio_weight_device, changes.blkio_weight_device);
  take_throttles(out.throttle_read_bps, changes.throttle_read_bps);
  take_throttles(out.throttle_write_bps, changes.throttle_write_bps);
  take_throttles(out.throttle_read_iops, changes.throttle_read_iops);
  take_throttles(out.throttle_write_iops, changes.throttle_write_iops);
  for (const configs::HugepageLimit& change : changes.hugetlb)
    entry_of(out.hugetlb, [&](const auto& one) { return one.page_size == change.page_size; }) =
        change;
  for (const configs::InterfacePriority& change : changes.net_prio)
    entry_of(out.net_prio, [&](const auto& one) { return one.interface == change.interface; }) =
        change;
  for (const auto& [device, change] : changes.rdma) {
    configs::RdmaLimit& one = out.rdma[device];
    if (change.hca_handles) one.hca_handles = change.hca_handles;
    if (change.hca_objects) one.hca_objects = change.hca_objects;
  }
  for (const auto& [file, value] : changes.unified) out.unified[file] = value;
}

// The limit of memory and swap together, when that of memory changes alone.
int64_t memory_and_swap(const Resources& old, int64_t memory, bool memory_in_v2) {
  // runc: none on memory is none on both.
  if (memory == -1) return old.memory_swap == 0 ? 0 : -1;
  if (!memory_in_v2 || old.memory_swap <= 0) return old.memory_swap;
  return memory + old.memory_swap - std::max<int64_t>(old.memory, 0);
}

}  // namespace

Resources updated(const Resources& old, const Resources& changes, bool memory_in_v2) {
  Resources out = old;
  take(out, changes, &Resources::memory, &Resources::memory_reservation, &Resources::memory_swap,
       &Resources::memory_swappiness, &Resources::oom_kill_disable,
       &Resources::memory_check_before_update, &Resources::cpu_shares, &Resources::cpu_quota,
       &Resources::cpu_burst, &Resources::cpu_period, &Resources::cpu_rt_runtime,
       &Resources::cpu_rt_period, &Resources::cpu_weight, &Resources::cpu_idle,
       &Resources::cpuset_cpus, &Resources::cpuset_mems, &Resources::pids_limit,
       &Resources::blkio_weight, &Resources::blkio_leaf_weight, &Resources::net_cls_classid);
  if (changes.memory != 0 && changes.memory_swap == 0)
    out.memory_swap = memory_and_swap(old, changes.memory, memory_in_v2);
  take_lists(out, changes);
  return out;
}

Resources to_write(const Resources& changes, const Resources& target) {
  Resources out = changes;
  // v2 limits swap alone: the difference of the two.
  if (changes.memory_swap != 0) out.memory = target.memory;
  if (changes.memory == -1) out.memory_swap = target.memory_swap;
  // An idle cgroup takes no shares; one that is no longer idle needs its own again.
  if (changes.cpu_shares != 0) out.cpu_idle = target.cpu_idle;
  if (changes.cpu_idle == 0) {
    out.cpu_shares = target.cpu_shares;
    out.cpu_weight = target.cpu_weight;
  }
  return out;
}

}  // namespace hull::cgroups
