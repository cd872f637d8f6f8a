#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libruntime/cgroups/manager.h"
#include "libruntime/configs/config.h"
#include "libruntime/launch/spawn.h"
#include "libruntime/state/state.h"

namespace hull::launch {

// Takes back what a failed create or restore has made: the state directory last, since without it
// nothing finds the rest again. What can't be taken back is logged; the error that led here is the
// one to report.
class CleanUp {
 public:
  explicit CleanUp(state::Directory& directory) : directory_(directory) {}
  ~CleanUp();
  CleanUp(const CleanUp&) = delete;
  CleanUp& operator=(const CleanUp&) = delete;

  cgroups::Manager& create(std::unique_ptr<cgroups::Manager> cgroup,
                           const configs::Resources& resources);
  Child& own(Child child) { return child_.emplace(std::move(child)); }
  void enter_rdt_group(const state::State& state, pid_t pid);
  // What is made for them from now on.
  void own_networks(const state::State& state) {
    networks_ = state.config.networks;
    id_ = state.id;
  }
  void cancel() { done_ = true; }

 private:
  struct RdtGroup {
    std::string path;
    configs::IntelRdt config;
    std::string id;
  };
  state::Directory& directory_;
  std::unique_ptr<cgroups::Manager> cgroup_;
  bool cgroup_is_ours_ = false;
  std::optional<Child> child_;
  std::optional<RdtGroup> rdt_group_;
  std::vector<configs::Network> networks_;
  std::string id_;
  bool done_ = false;
};

}  // namespace hull::launch
