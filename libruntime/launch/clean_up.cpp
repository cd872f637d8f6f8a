#include "libruntime/launch/clean_up.h"

#include <csignal>

#include "libruntime/network/interfaces.h"
#include "libruntime/resctrl/group.h"
#include "libruntime/system/error.h"
#include "libruntime/system/log.h"

namespace hull::launch {

CleanUp::~CleanUp() {
  if (done_) return;
  if (child_) end_child(*child_);
  try {
    if (cgroup_ && cgroup_is_ours_) {
      // What the init or its hooks left behind in there, too.
      cgroup_->kill(SIGKILL);
      if (const std::string by = cgroup_->thaw_killed(); !by.empty())
        throw Error("what there is of the container stays until cgroup " + quote(by) + " thaws")
            .hint("then delete it by force");
      cgroup_->destroy();
    } else if (cgroup_) {
      cgroups::remove_unused(*cgroup_);
    }
    network::disconnect(networks_, id_);
    if (rdt_group_) resctrl::remove(rdt_group_->path, rdt_group_->config, rdt_group_->id);
    directory_.remove();
  } catch (const Error& e) {
    log::warning(e.what());
  }
}

cgroups::Manager& CleanUp::create(std::unique_ptr<cgroups::Manager> cgroup,
                                  const configs::Resources& resources) {
  cgroup_ = std::move(cgroup);
  cgroup_->create(resources);
  cgroup_is_ours_ = true;
  return *cgroup_;
}

void CleanUp::enter_rdt_group(const state::State& state, pid_t pid) {
  RdtGroup group{state.intel_rdt_path, *state.config.intel_rdt, state.id};
  resctrl::enter(group.path, group.config, group.id, pid);
  rdt_group_ = std::move(group);
}

}  // namespace hull::launch
