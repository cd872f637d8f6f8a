#include "conformance/container/host.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>

#include "conformance/container/command.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/mountinfo.h"
#include "libruntime/system/process_stat.h"
#include "libruntime/system/syscalls.h"
#include "libruntime/system/text.h"

namespace hull::conformance {
namespace {

bool holds(std::string_view text, std::string_view mark) {
  return text.find(mark) != std::string_view::npos;
}

// Names of the directories below `path`.
std::vector<std::string> directories_in(const std::string& path) {
  std::vector<std::string> names;
  DIR* dir = opendir(path.c_str());
  if (dir == nullptr) return names;
  while (const dirent* entry = readdir(dir)) {
    const std::string name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") names.push_back(name);
  }
  closedir(dir);
  return names;
}

void collect_cgroups(const std::string& path, std::string_view mark,
                     std::vector<std::string>& found) {
  for (const std::string& name : directories_in(path)) {
    collect_cgroups(path + "/" + name, mark, found);
    if (holds(path + "/" + name, mark)) found.push_back(path + "/" + name);
  }
}

// A process that ends while it is looked at gives ESRCH or an empty text.
std::string proc_file(const std::string& pid, const char* name) {
  try {
    return read_file_if_exists("/proc/" + pid + "/" + name).value_or("");
  } catch (const Error&) {
    return "";
  }
}

const MountInfo* v1_mount(const std::vector<MountInfo>& mounts, std::string_view controller) {
  for (const MountInfo& mount : mounts)
    if (mount.fs_type == "cgroup" && has_option(mount.super_options, controller)) return &mount;
  return nullptr;
}

const MountInfo* v2_mount(const std::vector<MountInfo>& mounts) {
  for (const MountInfo& mount : mounts)
    if (mount.fs_type == "cgroup2") return &mount;
  return nullptr;
}

std::string ask_criu() {
  try {
    const Outcome check = run_command({"criu", "check"}, {.timeout = std::chrono::seconds(60)});
    if (check.exit_code == 0) return {};
    for (const std::string_view line : split(check.err, '\n'))
      if (line.find("Error") != std::string_view::npos &&
          line.find("exited, status") == std::string_view::npos)
        return "criu does not work on this kernel: " + std::string(line);
    return "criu check fails";
  } catch (const Error&) {
    return "criu is not installed";
  }
}

}  // namespace

void write_file(const std::string& path, std::string_view content, mode_t mode) {
  const Fd fd = open_or_throw(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  write_all(fd.get(), content, path);
  if (fchmod(fd.get(), mode) != 0) throw Error("setting the mode of " + path, "fchmod", errno);
}

void remove_tree(const std::string& path) {
  for (const std::string& mount : mounts_with(path))
    if (path_is_below(mount, path)) umount2(mount.c_str(), MNT_DETACH);
  nftw(
      path.c_str(),
      [](const char* name, const struct stat*, int, FTW*) {
        std::remove(name);
        return 0;
      },
      32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

bool exists(const std::string& path) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0;
}

std::vector<pid_t> processes_with(std::string_view mark) {
  std::vector<pid_t> found;
  for (const std::string& name : directories_in("/proc")) {
    const auto pid = parse_number<pid_t>(name);
    if (!pid || *pid == getpid()) continue;
    if (!holds(proc_file(name, "cgroup"), mark) && !holds(proc_file(name, "environ"), mark) &&
        !holds(proc_file(name, "cmdline"), mark))
      continue;
    const auto stat = read_process_stat(*pid);
    if (stat && !stat->dead()) found.push_back(*pid);
  }
  return found;
}

std::vector<std::string> mounts_with(std::string_view mark) {
  std::vector<std::string> found;
  for (const MountInfo& mount : read_mountinfo())
    if (holds(mount.mount_point, mark) || holds(mount.source, mark) || holds(mount.root, mark))
      found.push_back(mount.mount_point);
  std::reverse(found.begin(), found.end());
  return found;
}

std::vector<std::string> cgroups_with(std::string_view mark) {
  std::vector<std::string> found;
  for (const MountInfo& mount : read_mountinfo())
    if (mount.fs_type == "cgroup" || mount.fs_type == "cgroup2")
      collect_cgroups(mount.mount_point, mark, found);
  return found;
}

bool in_cgroup_v2(std::string_view controller) {
  const auto mounts = read_mountinfo();
  return v1_mount(mounts, controller) == nullptr && v2_mount(mounts) != nullptr;
}

bool has_controller(std::string_view controller) {
  const auto mounts = read_mountinfo();
  if (v1_mount(mounts, controller) != nullptr) return true;
  const MountInfo* v2 = v2_mount(mounts);
  if (v2 == nullptr) return false;
  const std::string controllers =
      read_file_if_exists(v2->mount_point + "/cgroup.controllers").value_or("");
  const auto names = split(trim(controllers), ' ');
  return std::find(names.begin(), names.end(), controller) != names.end();
}

std::string cgroup_of(pid_t pid, std::string_view controller) {
  const auto mounts = read_mountinfo();
  const MountInfo* mount = controller.empty() ? nullptr : v1_mount(mounts, controller);
  const bool v1 = mount != nullptr;
  if (!v1) mount = v2_mount(mounts);
  if (mount == nullptr) throw Error("no hierarchy of cgroups has " + quote(controller));
  const std::string text = read_file("/proc/" + std::to_string(pid) + "/cgroup");
  for (const std::string_view line : split(text, '\n')) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    if (v1 ? has_option(controllers, controller) : controllers.empty())
      return mount->mount_point + std::string(line.substr(second + 1));
  }
  throw Error("process " + std::to_string(pid) + " is in no cgroup of " + quote(controller));
}

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    const timespec pause{0, 5'000'000};
    nanosleep(&pause, nullptr);
    reap_orphans();
  }
  return true;
}

const std::string& what_criu_lacks() {
  static const std::string reason = ask_criu();
  return reason;
}

}  // namespace hull::conformance
