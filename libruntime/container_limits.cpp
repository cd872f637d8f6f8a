#include "libruntime/cgroups/manager.h"
#include "libruntime/cgroups/update.h"
#include "libruntime/container_impl.h"
#include "libruntime/network/statistics.h"
#include "libruntime/resctrl/group.h"

// What a container may use, and what it uses.
namespace hull {

void Container::set(const configs::Resources& changes) {
  const Impl::Exclusive exclusive(*impl_);
  // Another process may have changed limits since.
  State next = impl_->directory.load();
  if (!state::init_alive(next)) throw not_running();
  configs::Resources& target = next.config.cgroup.resources;
  target = cgroups::updated(target, changes, !next.cgroup_paths.contains("memory"));
  // Written before and put in place after, so that neither is done alone.
  FileDraft draft = impl_->directory.draft(next);
  manager_of(next)->set(cgroups::to_write(changes, target));
  draft.commit();
  impl_->put(std::move(next));
}

void Container::set_cache_schemata(const std::string& l3_cache,
                                   const std::string& memory_bandwidth) {
  const Impl::Exclusive exclusive(*impl_);
  State next = impl_->directory.load();
  if (!state::init_alive(next)) throw not_running();
  const bool new_class = !next.config.intel_rdt;
  configs::IntelRdt wanted = next.config.intel_rdt.value_or(configs::IntelRdt{});
  if (!l3_cache.empty()) wanted.l3_cache_schema = l3_cache;
  if (!memory_bandwidth.empty()) wanted.mem_bw_schema = memory_bandwidth;
  if (new_class) {
    next.intel_rdt_path = resctrl::group_path(resctrl::mount_point(), wanted, next.id);
    resctrl::enter(next.intel_rdt_path, wanted, next.id, next.init_pid);
    for (const pid_t pid : manager_of(next)->processes())
      resctrl::join(next.intel_rdt_path, wanted, next.id, pid);
  } else {
    resctrl::write_schemata(next.intel_rdt_path, wanted);
  }
  next.config.intel_rdt = wanted;
  impl_->directory.save(next);
  impl_->put(std::move(next));
}

Stats Container::stats() const {
  const auto last = state();
  Stats out = cgroups::read_stats(last->cgroup_paths);
  out.interfaces = network::read_statistics(last->config.networks);
  return out;
}

OomWatch Container::notify_oom() const { return OomWatch(state()->cgroup_paths); }

PressureWatch Container::notify_memory_pressure(PressureLevel level) const {
  return {state()->cgroup_paths, level};
}

}  // namespace hull
