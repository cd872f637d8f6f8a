#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

// A cgroup directory with all that is below it.
namespace hull::cgroups {

class Deadline;

// The host pids of all processes in `dir` and below, sorted, each once. Empty when it is gone.
// Processes of an outer pid namespace, which have no pid here, are left out. Throws Error.
std::vector<pid_t> processes_below(const std::string& dir);

// Sends `signal` to all processes in `dir` and below, also to those that are born meanwhile. After
// SIGKILL it waits until all are dead, at most a second: a process that hangs in the kernel is left
// to destroy. Throws Error; refuses to signal the caller and process 1.
void signal_below(const std::string& dir, int signal);
// The same for those that are there now only, without waiting: for a cgroup that is frozen.
void signal_listed(const std::string& dir, int signal);

// rmdir(2) on one directory. True when it is gone, now or before; false when it is busy. Throws
// Error.
bool remove_directory(const std::string& dir);
// Removes `dir` and what is below, bottom up. Waits for processes that are dying; throws Error,
// with their pids, when some are left at the deadline.
void remove_below(const std::string& dir, const Deadline& deadline);

}  // namespace hull::cgroups
