#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

// The machine seen from outside the container: what is left, and where a container's cgroups are.
namespace hull::conformance {

// Creates or replaces a file of the test's own.
void write_file(const std::string& path, std::string_view content, mode_t mode = 0644);
// Unmounts and removes everything below; no error when it can't.
void remove_tree(const std::string& path);
bool exists(const std::string& path);

// Living processes (no zombies) whose environment, command line or cgroup holds `mark`.
std::vector<pid_t> processes_with(std::string_view mark);
// Mount points of this namespace whose line holds `mark`.
std::vector<std::string> mounts_with(std::string_view mark);
// Cgroup directories of all hierarchies whose name holds `mark`, children before parents.
std::vector<std::string> cgroups_with(std::string_view mark);

// Whether `controller` is in the v2 hierarchy (else in a v1 hierarchy of its own).
bool in_cgroup_v2(std::string_view controller);
bool has_controller(std::string_view controller);
// The directory of the process's cgroup that `controller` is in ("memory", "pids"; "" is the v2
// hierarchy).
std::string cgroup_of(pid_t pid, std::string_view controller);

// Why this host's CRIU does not work: what `criu check` says. Empty when it does.
const std::string& what_criu_lacks();

// Waits until it is true, by asking every few milliseconds.
bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds limit = std::chrono::milliseconds(5000));

}  // namespace hull::conformance
