#include "libruntime/launch/record.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "libruntime/configs/names.h"
#include "libruntime/resctrl/group.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/process_stat.h"
#include "libruntime/system/unix_socket.h"

namespace hull::launch {
namespace {

// time.RFC3339Nano of Go, UTC. gmtime(3) would read the time zone's file.
std::string now() {
  using namespace std::chrono;
  const auto time = system_clock::now();
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<nanoseconds>(time - day));
  char text[80];
  const int length = std::snprintf(
      text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%09d", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  std::string out(text, static_cast<size_t>(length));
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out + "Z";
}

// What the init's standard streams are; CRIU needs to know when it restores.
std::vector<std::string> external_descriptors(const LaunchOptions& options) {
  std::vector<std::string> out;
  for (size_t i = 0; i <= 2; ++i) {
    char target[4096];
    const int given = options.streams[i];
    const std::string path =
        "/proc/self/fd/" + std::to_string(given < 0 ? static_cast<int>(i) : given);
    const ssize_t length = readlink(path.c_str(), target, sizeof target);
    out.emplace_back(target, length > 0 ? static_cast<size_t>(length) : 0);
  }
  return out;
}

}  // namespace

void describe(state::State& out, const LaunchOptions& options, const cgroups::Manager& cgroup) {
  out.init_pid = 0;
  out.init_start_time = 0;
  out.created = now();
  out.rootless = out.config.rootless_euid && out.config.rootless_cgroups;
  out.cgroup_paths = cgroup.paths();
  out.external_descriptors = external_descriptors(options);
  if (out.config.intel_rdt)
    out.intel_rdt_path = resctrl::group_path(resctrl::mount_point(), *out.config.intel_rdt, out.id);
}

void describe_init(state::State& state, pid_t pid) {
  const auto stat = read_process_stat(pid);
  if (!stat) throw Error("the container's init has gone");
  state.init_pid = pid;
  state.init_start_time = stat->start_time;
  const std::string dir = "/proc/" + std::to_string(pid) + "/ns/";
  for (const configs::NamespaceName& name : configs::kNamespaces) {
    const configs::Namespace* ns = state.config.find(name.type);
    const bool joined = ns != nullptr && !ns->path.empty();
    state.namespace_paths[std::string(name.state)] =
        joined ? ns->path : dir + std::string(name.file);
  }
}

void announce(pid_t pid, int pidfd, const LaunchOptions& options) {
  if (!options.pidfd_socket.empty()) send_fd(options.pidfd_socket, pidfd, std::to_string(pid));
  if (!options.pid_file.empty()) replace_file(options.pid_file, std::to_string(pid), 0644);
}

}  // namespace hull::launch
