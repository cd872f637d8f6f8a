#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "libruntime/cgroups/directories.h"
#include "libruntime/cgroups/manager.h"

namespace hull::cgroups {

class FormerLimits;

// cgroup v1, and hybrid hosts: there the container has a directory in the v2 hierarchy too, which
// takes the limits of controllers that are not mounted as v1.
class V1Manager final : public Manager {
 public:
  V1Manager(const configs::Cgroup& config, std::map<std::string, std::string> paths, Mounts mounts);

  [[nodiscard]] const std::map<std::string, std::string>& paths() const override { return paths_; }
  void create(const configs::Resources& resources) override;
  void set(const configs::Resources& resources, const std::function<void()>& then) override;
  [[nodiscard]] Entrance open_entrance() const override;
  [[nodiscard]] std::vector<Controller> controllers() const override;
  void freeze(bool frozen) override;
  [[nodiscard]] bool frozen() const override;
  [[nodiscard]] std::string frozen_by() const override;
  std::string thaw_killed() override;
  [[nodiscard]] std::vector<pid_t> processes() const override;
  void kill(int signal) override;
  void destroy() override;

 private:
  void make_directories(NewDirectories& made);
  bool may_skip(int code) const;
  void forget(const std::string& dir);
  void check_existing(const NewDirectories& made) const;
  void fill_cpuset(const configs::Resources& resources, const NewDirectories& made) const;
  void set_devices(const configs::Resources& resources, const NewDirectories& made) const;
  void set_limits(const configs::Resources& resources, FormerLimits* former) const;
  bool kill_unified() const;

  // The directory of a key of cgroup_paths; empty when there is none.
  [[nodiscard]] std::string path_of(std::string_view key) const;
  // Where the processes are looked up: all hierarchies hold the same.
  [[nodiscard]] std::string main_path() const;
  // Each directory once, though several controllers may share it.
  [[nodiscard]] std::set<std::string> directories() const;

  std::map<std::string, std::string> paths_;
  Mounts mounts_;
  bool rootless_;
  bool path_given_;  // the user asked for this very cgroup
  bool memory_is_limited_;
  bool adopted_;                   // systemd made directories, for a process of ours
  std::set<std::string> skipped_;  // keys without a directory: no permission, rootless
};

}  // namespace hull::cgroups
