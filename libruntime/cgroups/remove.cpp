#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "libruntime/cgroups/cgroup_file.h"
#include "libruntime/cgroups/subdirectories.h"
#include "libruntime/cgroups/tree.h"
#include "libruntime/cgroups/watch.h"
#include "libruntime/system/error.h"

namespace hull::cgroups {
namespace {

constexpr int kFirstPause = 1;  // ms
constexpr int kLastPause = 200;

// True when all is gone. What is busy keeps its parents busy; the rest goes.
bool sweep(const std::string& dir) {
  if (remove_directory(dir)) return true;
  for (const std::string& name : subdirectories(dir)) sweep(dir + "/" + name);
  return remove_directory(dir);
}

// Waits for the processes that are still there. False when there were none, so that only the
// kernel's own delayed work can be what keeps the directory.
bool wait_for_processes(const std::string& dir, const Deadline& deadline) {
  const std::vector<pid_t> pids = processes_below(dir);
  if (pids.empty()) return false;
  if (access((dir + "/cgroup.events").c_str(), F_OK) == 0)
    return wait_until_unpopulated(dir, deadline);
  return wait_until_dead(pids, deadline);
}

std::string pid_list(const std::vector<pid_t>& pids) {
  constexpr size_t kShown = 16;
  std::string out;
  for (size_t i = 0; i < std::min(pids.size(), kShown); ++i)
    out += (i == 0 ? "" : ", ") + std::to_string(pids[i]);
  if (pids.size() > kShown) out += " and " + std::to_string(pids.size() - kShown) + " more";
  return out;
}

[[noreturn]] void throw_busy(const std::string& dir) {
  const std::vector<pid_t> pids = processes_below(dir);
  if (pids.empty()) throw Error("cannot remove cgroup " + quote(dir), "rmdir", EBUSY);
  throw Error("cannot remove cgroup " + quote(dir) + ": it still holds process " + pid_list(pids),
              "rmdir", EBUSY)
      .hint("kill them; one in state D (uninterruptible) goes when its system call ends");
}

}  // namespace

bool remove_directory(const std::string& dir) {
  for (;;) {
    if (rmdir(dir.c_str()) == 0 || errno == ENOENT) return true;
    if (errno == EBUSY || errno == ENOTEMPTY) return false;
    if (errno != EINTR) throw Error("cannot remove cgroup " + quote(dir), "rmdir", errno);
  }
}

void remove_below(const std::string& dir, const Deadline& deadline) {
  int pause = kFirstPause;
  bool waited = false;
  while (!sweep(dir)) {
    if (deadline.passed()) throw_busy(dir);
    // Twice in a row the wait alone did not help: processes that are dead but still listed.
    const bool again = waited;
    waited = wait_for_processes(dir, deadline);
    if (waited && !again) continue;
    poll(nullptr, 0, std::min(pause, std::max(1, deadline.remaining_ms())));
    pause = std::min(pause * 2, kLastPause);
  }
}

}  // namespace hull::cgroups
