#include "libruntime/cgroups/systemd.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "libruntime/cgroups/cgroup_file.h"
#include "libruntime/cgroups/file_manager.h"
#include "libruntime/cgroups/tree.h"
#include "libruntime/cgroups/unit_names.h"
#include "libruntime/cgroups/unit_properties.h"
#include "libruntime/cgroups/units.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/log.h"
#include "libruntime/system/text.h"

namespace hull::cgroups {
namespace {

using configs::Resources;
using configs::UnitProperty;
using Paths = std::map<std::string, std::string>;

constexpr std::string_view kField = "/linux/cgroupsPath";

BusOwner owner_of(const configs::Cgroup& config) {
  return config.rootless ? BusOwner::user : BusOwner::system;
}

// `base` is the manager's own cgroup, "" for that of the system.
Paths unit_paths(const configs::Cgroup& config, const Layout& layout, const std::string& base) {
  std::string inner = base + slice_path(slice_name(config)) + "/" + unit_name(config);
  if (!config.sub_group.empty()) inner += clean_path("/" + config.sub_group);
  Paths paths;
  for (const Hierarchy& hierarchy : layout.hierarchies) {
    const std::string path = hierarchy.mount_point + inner;
    if (hierarchy.controllers.empty()) paths[hierarchy.name] = path;
    for (const std::string& controller : hierarchy.controllers) paths[controller] = path;
  }
  return paths;
}

Mode mode_of(const Paths& paths) {
  return paths.size() == 1 && paths.begin()->first.empty() ? Mode::v2 : Mode::v1;
}

// pids.max of 0 or 1, by either name.
bool one_task(const Resources& resources) {
  const auto unified = resources.unified.find("pids.max");
  if (unified != resources.unified.end())
    return parse_number<uint64_t>(trim(unified->second)).value_or(2) < 2;
  return resources.pids_limit && *resources.pids_limit >= 0 && *resources.pids_limit < 2;
}

}  // namespace

SystemdManager::SystemdManager(const configs::Cgroup& config, Layout layout)
    : config_(config), unit_(unit_name(config)), mode_(layout.mode), ours_(false) {
  if (!directory_exists("/run/systemd/system"))
    throw Error(
        "systemd cgroup flag passed, but systemd support for managing cgroups is not available")
        .field(kField)
        .hint("systemd is not process 1 here: use the cgroup manager \"cgroupfs\"");
  if (config.rootless && mode_ != Mode::v2)
    throw Error("a user's systemd manages cgroups of version 2 only").field(kField);
  const std::string base = config.rootless ? manager_property(bus(), "ControlGroup") : "";
  Paths paths = unit_paths(config, layout, base);
  files_ = make_file_manager(config, std::move(paths), Mounts(std::move(layout)));
}

SystemdManager::SystemdManager(const configs::Cgroup& config, Paths paths)
    : config_(config),
      unit_(unit_name(config)),
      mode_(mode_of(paths)),
      files_(make_file_manager(config, std::move(paths), Mounts())) {}

Bus& SystemdManager::bus() {
  if (!bus_) bus_.emplace(owner_of(config_));
  return *bus_;
}

std::set<std::string> SystemdManager::unit_directories() const {
  std::set<std::string> out;
  for (const auto& [key, path] : paths()) out.insert(unit_directory(path, unit_));
  return out;
}

void SystemdManager::create(const Resources& resources) {
  try {
    Resources now = resources;
    if (!is_slice()) {
      placeholder_ = std::make_unique<Placeholder>();
      // There must be room for the placeholder and the container's first process.
      if (mode_ == Mode::v2 && one_task(resources)) {
        one_task_ = true;
        now.pids_limit = 2;
        now.unified.erase("pids.max");
      }
    }
    start(new_unit(now));
    check_made();
    if (mode_ == Mode::v2 && !config_.sub_group.empty()) move_placeholder();
    files_->create(now);
  } catch (Error& e) {
    take_back();
    e.set_stage("creating the cgroup");
    throw;
  }
}

// The unit, which the caller knows nothing of. The error that led here is the one to report.
void SystemdManager::take_back() {
  try {
    destroy();
  } catch (const Error& e) {
    log::warning(e.what());
  }
}

SystemdManager::Properties SystemdManager::new_unit(const Resources& resources) {
  Properties out{{"Description", "hull container " + config_.name}};
  const std::string slice = slice_name(config_);
  if (is_slice()) {
    // The name says which slice a slice is in.
    out.push_back({"Wants", std::vector<std::string>{slice}});
  } else {
    out.push_back({"Slice", slice});
    out.push_back({"PIDs", std::vector<uint32_t>{static_cast<uint32_t>(placeholder_->pid())}});
    // The files below the unit are ours: systemd does not write there.
    out.push_back({"Delegate", true});
  }
  for (const char* name : {"MemoryAccounting", "CPUAccounting", "TasksAccounting"})
    out.push_back({name, true});
  out.push_back({mode_ == Mode::v2 ? "IOAccounting" : "BlockIOAccounting", true});
  // At shutdown the container's engine decides, not systemd's default order.
  out.push_back({"DefaultDependencies", false});
  const auto add = [&](Properties more) { std::ranges::move(more, std::back_inserter(out)); };
  add(device_properties(resources.devices));
  add(limits(resources));
  // What the user says comes last, so that it counts.
  add(config_.unit_properties);
  return out;
}

// Those that this systemd knows. Of the others it writes no file either.
SystemdManager::Properties SystemdManager::limits(const Resources& resources) {
  Properties out;
  std::optional<unsigned> version;
  for (LimitProperty& one : limit_properties(resources, mode_)) {
    if (one.since != 0) {
      if (!version) version = version_number(manager_property(bus(), "Version"));
      if (*version < one.since) {
        log::debug("systemd " + std::to_string(*version) + " has no property " + one.property.name);
        continue;
      }
    }
    out.push_back(std::move(one.property));
  }
  return out;
}

void SystemdManager::start(const Properties& properties) {
  // From here on there may be a unit, whatever we hear of it.
  ours_ = true;
  for (int attempt = 0;; ++attempt) {
    try {
      return start_transient_unit(bus(), unit_, properties);
    } catch (const BusError& e) {
      if (e.name() != kUnitExists) throw;
    }
    if (is_slice()) return;
    if (attempt == 0) {
      reset_failed_unit(bus(), unit_);
    } else if (attempt == 1 && left_over()) {
      stop_unit(bus(), unit_);
    } else {
      ours_ = false;
      throw Error("systemd has a unit " + quote(unit_) + " already")
          .field(kField)
          .hint("another container has the same cgroupsPath");
    }
  }
}

// Its last process has gone and systemd has not noticed yet.
bool SystemdManager::left_over() const {
  return std::ranges::all_of(unit_directories(),
                             [](const std::string& dir) { return processes_below(dir).empty(); });
}

void SystemdManager::check_made() const {
  const auto main = paths().find(mode_ == Mode::v2 ? "" : "name=systemd");
  if (main == paths().end()) return;
  const std::string dir = unit_directory(main->second, unit_);
  if (!directory_exists(dir))
    throw Error("systemd made unit " + quote(unit_) + ", but not at " + quote(dir)).field(kField);
}

// A cgroup that shares out controllers can't hold processes itself (cgroups(7)): the placeholder
// goes where the container will be, by another one that is born there.
void SystemdManager::move_placeholder() {
  const std::string& dir = paths().at("");
  make_directories(dir, 0755);
  if (is_slice()) return;
  const Fd cgroup = open_or_throw(AT_FDCWD, dir, O_PATH | O_DIRECTORY);
  auto next = std::make_unique<Placeholder>(cgroup.get());
  placeholder_ = std::move(next);
}

void SystemdManager::entered() {
  // In v1 the container's init enters by itself, some time later: until then the unit needs it.
  if (mode_ != Mode::v2) return;
  placeholder_.reset();
  if (!one_task_) return;
  Resources only;
  only.pids_limit = 1;
  set(only, {});
}

// The files first: what the kernel refuses must not be in the unit, and a limit that would kill is
// refused there. systemd writes the files as well, rounded by its own rules, so they come again.
void SystemdManager::set(const Resources& resources, const std::function<void()>& then) {
  Resources whole = resources;
  // One setting, of which systemd has to hear both halves.
  if (whole.cpu_quota != 0 || whole.cpu_period != 0) {
    if (whole.cpu_quota == 0) whole.cpu_quota = config_.resources.cpu_quota;
    if (whole.cpu_period == 0) whole.cpu_period = config_.resources.cpu_period;
  }
  Properties properties = limits(whole);
  // Can't be changed while the unit lives, and counts at its start only.
  std::erase_if(properties, [](const UnitProperty& one) { return one.name == "OOMPolicy"; });
  files_->set(resources, [&] {
    if (!properties.empty()) {
      set_unit_properties(bus(), unit_, properties);
      files_->set(whole);
    }
    if (then) then();
  });
}

void SystemdManager::destroy() {
  if (!ours_) return;
  placeholder_.reset();
  files_->destroy();
  remove_all(unit_directories(), Mounts());
  stop_unit(bus(), unit_);
}

}  // namespace hull::cgroups
