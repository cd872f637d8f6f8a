#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libruntime/cgroups/bus.h"
#include "libruntime/cgroups/directories.h"
#include "libruntime/cgroups/manager.h"
#include "libruntime/cgroups/placeholder.h"

namespace hull::cgroups {

// A container's cgroup as systemd's unit: a transient scope (or a slice) that systemd makes and
// takes away, with limits that both know. All else goes by the cgroup's files, as without systemd;
// only create, set and destroy speak to it.
class SystemdManager final : public Manager {
 public:
  // Of a new container. Throws Error when systemd does not run here.
  SystemdManager(const configs::Cgroup& config, Layout layout);
  // Of one in state.json.
  SystemdManager(const configs::Cgroup& config, std::map<std::string, std::string> paths);

  [[nodiscard]] const std::map<std::string, std::string>& paths() const override {
    return files_->paths();
  }
  void create(const configs::Resources& resources) override;
  void entered() override;
  void set(const configs::Resources& resources, const std::function<void()>& then) override;
  [[nodiscard]] Entrance open_entrance() const override { return files_->open_entrance(); }
  [[nodiscard]] std::vector<Controller> controllers() const override {
    return files_->controllers();
  }
  void freeze(bool frozen) override { files_->freeze(frozen); }
  [[nodiscard]] bool frozen() const override { return files_->frozen(); }
  [[nodiscard]] std::string frozen_by() const override { return files_->frozen_by(); }
  std::string thaw_killed() override { return files_->thaw_killed(); }
  [[nodiscard]] std::vector<pid_t> processes() const override { return files_->processes(); }
  void kill(int signal) override { files_->kill(signal); }
  void destroy() override;

 private:
  using Properties = std::vector<configs::UnitProperty>;

  Bus& bus();
  [[nodiscard]] bool is_slice() const { return unit_.ends_with(".slice"); }
  [[nodiscard]] std::set<std::string> unit_directories() const;
  Properties new_unit(const configs::Resources& resources);
  Properties limits(const configs::Resources& resources);
  void start(const Properties& properties);
  [[nodiscard]] bool left_over() const;
  void check_made() const;
  void move_placeholder();
  void take_back();

  configs::Cgroup config_;
  std::string unit_;
  Mode mode_;
  std::optional<Bus> bus_;
  std::unique_ptr<Manager> files_;
  std::unique_ptr<Placeholder> placeholder_;
  bool one_task_ = false;  // the container may have one process only: when the placeholder is gone
  bool ours_ = true;       // false: the unit of our name is somebody else's, or there is none
};

}  // namespace hull::cgroups
