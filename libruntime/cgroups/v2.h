#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libruntime/cgroups/directories.h"
#include "libruntime/cgroups/manager.h"

namespace hull::cgroups {

// cgroup v2 alone (cgroups(7), Documentation/admin-guide/cgroup-v2.rst).
class V2Manager final : public Manager {
 public:
  V2Manager(const configs::Cgroup& config, std::map<std::string, std::string> paths, Mounts mounts);

  [[nodiscard]] const std::map<std::string, std::string>& paths() const override { return paths_; }
  void create(const configs::Resources& resources) override;
  void set(const configs::Resources& resources, const std::function<void()>& then) override;
  [[nodiscard]] Entrance open_entrance() const override;
  [[nodiscard]] std::vector<Controller> controllers() const override { return {}; }
  void freeze(bool frozen) override;
  [[nodiscard]] bool frozen() const override;
  [[nodiscard]] std::string frozen_by() const override;
  std::string thaw_killed() override;
  [[nodiscard]] std::vector<pid_t> processes() const override;
  void kill(int signal) override;
  void destroy() override;

 private:
  void create_steps(const configs::Resources& resources, NewDirectories& made);
  void check_usable(bool fresh) const;
  void set_devices(const configs::Resources& resources, bool fresh) const;
  void give_to_owner() const;
  void kill_one_by_one() const;

  std::map<std::string, std::string> paths_;
  Mounts mounts_;
  std::string dir_;  // empty: a rootless container without a cgroup
  bool rootless_;
  bool path_given_;  // the user asked for this very cgroup
  bool adopted_;     // systemd made the directory, for a process of ours
  std::optional<uint32_t> owner_;
};

}  // namespace hull::cgroups
