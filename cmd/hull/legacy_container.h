#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "specconv/legacy.h"

namespace hull::cmd {

inline constexpr char kContainerFile[] = "container.json";
inline constexpr char kPidFile[] = "pid";      // of a container's init, on the host
inline constexpr char kStartFile[] = "start";  // its start time, as in /proc/[pid]/stat

// A container.json and where its container lives.
struct LegacyContainer {
  std::string text;
  specconv::legacy::Container container;
  std::string directory;  // of the file, absolute
  // The file's directory; or the current one, when there is nothing beside the file but what nsinit
  // puts there.
  std::string rootfs;
};

// Throws Error.
LegacyContainer load_legacy_container(const std::string& file);

// As config.json, with this program. Paths are told from the current directory. Throws Error.
std::string legacy_config_json(const LegacyContainer& legacy, std::vector<std::string> args,
                               bool systemd_cgroup);

}  // namespace hull::cmd
