#include "libruntime/launch/id_maps.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>

#include "libruntime/system/command.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::launch {
namespace {

using Maps = std::vector<configs::IdMap>;

constexpr std::chrono::seconds kToolLimit{30};
constexpr char kDefaultPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct MapKind {
  const char* file;
  const char* tool;
  const char* ranges;  // whose IDs the tool may give
  const char* field;
};
constexpr MapKind kUids{"uid_map", "newuidmap", "/etc/subuid", "/linux/uidMappings"};
constexpr MapKind kGids{"gid_map", "newgidmap", "/etc/subgid", "/linux/gidMappings"};

std::string map_text(const Maps& maps) {
  std::string out;
  for (const configs::IdMap& map : maps)
    out += std::to_string(map.container_id) + " " + std::to_string(map.host_id) + " " +
           std::to_string(map.size) + "\n";
  return out;
}

std::string find_tool(const MapKind& kind) {
  const char* given = std::getenv("PATH");
  for (const std::string_view dir : split(given != nullptr ? given : kDefaultPath, ':')) {
    std::string path = std::string(dir) + "/" + kind.tool;
    if (dir.starts_with('/') && access(path.c_str(), X_OK) == 0) return path;
  }
  throw Error("a mapping of more than the caller's own ID needs " + std::string(kind.tool) +
              ", which is not in $PATH")
      .field(kind.field)
      .hint("install it (Debian: package uidmap), or map one ID of size 1, the caller's own");
}

void map_by_tool(const MapKind& kind, pid_t pid, const Maps& maps) {
  Command command;
  command.path = find_tool(kind);
  command.args = {kind.tool, std::to_string(pid)};
  for (const configs::IdMap& map : maps)
    for (const uint32_t number : {map.container_id, map.host_id, map.size})
      command.args.push_back(std::to_string(number));
  command.timeout = kToolLimit;
  const CommandResult result = run_command(command);
  if (result.status == 0 && !result.timed_out && result.exec_errno == 0) return;
  throw Error(std::string(kind.tool) + " failed: " +
              (result.timed_out         ? "it did not end in 30 s"
               : result.exec_errno != 0 ? errno_text(result.exec_errno)
                                        : std::string(trim(result.output))))
      .field(kind.field)
      .hint(std::string(kind.ranges) + " must grant these IDs to the caller");
}

// False when this process may not write this map.
bool try_write(const MapKind& kind, pid_t pid, const Maps& maps) {
  try {
    write_existing("/proc/" + std::to_string(pid) + "/" + kind.file, map_text(maps));
    return true;
  } catch (Error& e) {
    if (e.code() == EPERM) return false;
    e.set_field(kind.field);
    throw;
  }
}

bool is_own_id(const Maps& maps, uint32_t id) {
  return maps.size() == 1 && maps[0].size == 1 && maps[0].host_id == id;
}

}  // namespace

void write_id_maps(pid_t pid, const Maps& uids, const Maps& gids) {
  if (!try_write(kUids, pid, uids)) map_by_tool(kUids, pid, uids);
  if (try_write(kGids, pid, gids)) return;
  if (!is_own_id(gids, getegid())) return map_by_tool(kGids, pid, gids);
  // CVE-2014-8989: who may drop groups gets at files that are closed to these groups.
  write_existing("/proc/" + std::to_string(pid) + "/setgroups", "deny");
  if (!try_write(kGids, pid, gids))
    throw Error("cannot map the caller's group", "write", EPERM).field(kGids.field);
}

std::string what_forbids_user_namespaces() {
  static constexpr struct {
    const char* sysctl;
    const char* path;
    const char* value;
  } kSwitches[] = {
      {"kernel.unprivileged_userns_clone", "/proc/sys/kernel/unprivileged_userns_clone", "0"},
      {"user.max_user_namespaces", "/proc/sys/user/max_user_namespaces", "0"},
      {"kernel.apparmor_restrict_unprivileged_userns",
       "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"},
  };
  for (const auto& one : kSwitches)
    if (const auto value = read_value_if_exists(one.path); value && trim(*value) == one.value)
      return "the host forbids user namespaces: sysctl " + std::string(one.sysctl) + " is " +
             one.value;
  return {};
}

}  // namespace hull::launch
