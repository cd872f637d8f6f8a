#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "libruntime/cgroups/cgroup_file.h"
#include "libruntime/cgroups/tree.h"
#include "libruntime/cgroups/watch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/syscalls.h"

namespace hull::cgroups {
namespace {

constexpr size_t kBatch = 256;  // descriptors at a time
constexpr int kRounds = 16;     // for a signal that may be ignored, against a fork bomb
constexpr std::chrono::seconds kKillLimit{1};

struct Target {
  pid_t pid;
  Fd pidfd;
};

void refuse_own(const std::vector<pid_t>& pids, const std::string& dir) {
  for (const pid_t pid : {pid_t{1}, getpid()})
    if (std::ranges::binary_search(pids, pid))
      throw Error("will not signal the processes of cgroup " + quote(dir) + ": process " +
                  std::to_string(pid) + " is one of them");
}

std::vector<Target> open_targets(const std::vector<pid_t>& pids) {
  std::vector<Target> targets;
  for (const pid_t pid : pids) {
    Target one{pid, Fd(sys::pidfd_open(pid, 0))};
    if (one.pidfd) {
      targets.push_back(std::move(one));
    } else if (errno != ESRCH) {
      throw Error("cannot watch process " + std::to_string(pid), "pidfd_open", errno);
    }
  }
  return targets;
}

void send(const Target& target, int signal) {
  if (sys::pidfd_send_signal(target.pidfd.get(), signal) != 0 && errno != ESRCH)
    throw Error("cannot signal process " + std::to_string(target.pid), "pidfd_send_signal", errno);
}

// Signals the processes and gives the pidfds of those that got it. A number read from cgroup.procs
// may be another process by now: only what is still listed after its pidfd was opened is ours.
std::vector<Fd> signal_batch(const std::string& dir, const std::vector<pid_t>& pids, int signal) {
  std::vector<Target> targets = open_targets(pids);
  const std::vector<pid_t> still = processes_below(dir);
  std::vector<Fd> sent;
  for (Target& target : targets) {
    if (!std::ranges::binary_search(still, target.pid)) continue;
    send(target, signal);
    sent.push_back(std::move(target.pidfd));
  }
  return sent;
}

// Signals `pids` of `dir`, whatever their number.
void signal_all(const std::string& dir, const std::vector<pid_t>& pids, int signal) {
  for (size_t start = 0; start < pids.size(); start += kBatch) {
    const size_t end = std::min(pids.size(), start + kBatch);
    const auto at = [&](size_t i) { return pids.begin() + static_cast<ptrdiff_t>(i); };
    signal_batch(dir, {at(start), at(end)}, signal);
  }
}

// Each round kills and waits until they are dead: only then is it sure that their last fork shows.
void kill_below(const std::string& dir) {
  const Deadline deadline(kKillLimit);
  while (!deadline.passed()) {
    std::vector<pid_t> pids = processes_below(dir);
    if (pids.empty()) return;
    refuse_own(pids, dir);
    if (pids.size() > kBatch) pids.resize(kBatch);
    if (!wait_until_dead(signal_batch(dir, pids, SIGKILL), deadline)) break;
  }
  signal_listed(dir, SIGKILL);
}

}  // namespace

void signal_listed(const std::string& dir, int signal) {
  const std::vector<pid_t> pids = processes_below(dir);
  refuse_own(pids, dir);
  signal_all(dir, pids, signal);
}

void signal_below(const std::string& dir, int signal) {
  if (signal == SIGKILL) return kill_below(dir);
  std::set<pid_t> done;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<pid_t> pids = processes_below(dir);
    refuse_own(pids, dir);
    std::erase_if(pids, [&](pid_t pid) { return done.contains(pid); });
    if (pids.empty()) return;
    signal_all(dir, pids, signal);
    done.insert(pids.begin(), pids.end());
  }
}

}  // namespace hull::cgroups
