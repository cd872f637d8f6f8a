#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

// The files "pid" and "start" by which nsinit's callers find a container's init. They lie where the
// container itself may write: what they say is compared, never trusted.
namespace hull::cmd {

struct LegacyPid {
  pid_t pid = 0;
  uint64_t start_time = 0;  // as in /proc/[pid]/stat

  bool operator==(const LegacyPid&) const = default;
};

// Nothing when a file is missing or no number.
std::optional<LegacyPid> read_legacy_pid(const std::string& directory);

// Whether that process lives: not another one that has its number now, and no zombie.
bool is_alive(const LegacyPid& pid);

// Throws Error.
void write_legacy_pid(const std::string& directory, const LegacyPid& pid);

// Removes the files that say this; those of another stay.
void remove_legacy_pid(const std::string& directory, const LegacyPid& pid);

}  // namespace hull::cmd
