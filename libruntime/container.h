#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libruntime/cgroups/oom.h"
#include "libruntime/cgroups/pressure_watch.h"
#include "libruntime/cgroups/stats.h"
#include "libruntime/configs/config.h"
#include "libruntime/launch/options.h"
#include "libruntime/state/state.h"
#include "libruntime/system/fd.h"

// The public face of libruntime: containers by state root and ID. Every call throws hull::Error.
// One Container must not be used by two threads at once; different ones may. Two processes on one
// container are serialised by a lock in its state directory.
namespace hull {

namespace cgroups {
class Manager;
}
using cgroups::OomWatch;
using cgroups::PressureLevel;
using cgroups::PressureWatch;
using cgroups::Stats;
using state::Status;

class Container {
 public:
  // Makes the container and its init, which waits for start(). On failure nothing stays. `process`
  // null: a configuration without "process"; then start() fails.
  static Container create(const std::string& root, const std::string& id,
                          const configs::Config& config, const configs::Process* process,
                          const LaunchOptions& options, Started& started);
  // create and start in one, without exec.fifo: returns once the user's program runs (execve
  // succeeded) and the poststart hooks are done.
  static Container run(const std::string& root, const std::string& id,
                       const configs::Config& config, const configs::Process& process,
                       const LaunchOptions& options, Started& started);
  // One that exists. Throws Error "container does not exist".
  static Container load(const std::string& root, const std::string& id);
  // Removes what is left of a container whose state.json is missing or cut off (created half,
  // killed): its state directory, and the cgroups that it names. Nothing when there is no such
  // container.
  static void remove_remains(const std::string& root, const std::string& id);

  [[nodiscard]] const state::State& state() const { return state_; }
  [[nodiscard]] const std::string& directory() const { return directory_.path(); }

  // Read anew from /proc and the cgroup at each call.
  [[nodiscard]] Status status() const;
  // runc's state output, indented by two blanks, without a final newline: ociVersion, id, pid,
  // status, bundle, rootfs, created, annotations, owner. runc names no owner but in lists.
  [[nodiscard]] std::string oci_state(std::string_view owner = {}) const;
  // The name of the user who owns the container's state; empty when it has none.
  [[nodiscard]] std::string owner() const;

  // Lets a created container run its program. Returns after execve succeeded (or the init ended
  // after it) and the poststart hooks are done; throws what the startContainer hooks or execve met.
  // A failing hook ends the container: it is deleted then.
  void start();
  // Starts another process inside.
  Started exec(const configs::Process& process, const LaunchOptions& options);
  // Sends a signal to the init (to all processes with `all`, or on SIGKILL without an own pid
  // namespace). Throws "container not running" when it is stopped and not `all`.
  void kill(int signal, bool all);
  void pause();
  void resume();
  [[nodiscard]] std::vector<pid_t> processes() const;
  // Puts the limits that `changes` sets into force and writes them down; all others stay as they
  // are, in state.json and in the kernel, and so do device rules. When one is refused, all stay.
  void set(const configs::Resources& changes);
  // New schemata for the container's class of service (Intel RDT), in the older form; what is empty
  // stays. A container without a class gets one of its own.
  void set_cache_schemata(const std::string& l3_cache, const std::string& memory_bandwidth);
  // What it uses now.
  [[nodiscard]] Stats stats() const;
  // Tells of each process that is killed for lack of memory, from now on.
  [[nodiscard]] OomWatch notify_oom() const;
  // Tells when memory gets scarce.
  [[nodiscard]] PressureWatch notify_memory_pressure(PressureLevel level) const;
  // A pidfd of its init: readable (POLLIN) when the container ends. Empty when it is stopped.
  [[nodiscard]] Fd open_init() const;
  // Deletes a stopped or created container (`force`: any), with its cgroups, then runs the poststop
  // hooks; the state directory goes last.
  void destroy(bool force);

 private:
  Container(std::string root, state::Directory directory, state::State state);
  void lock();
  void end_init(cgroups::Manager& cgroup) const;
  // By force; what goes wrong is logged.
  void destroy_after_failure();
  std::string root_;
  state::Directory directory_;
  state::State state_;
};

// To be called first in main: when this process was started as a container's init it never returns.
void init_if_asked(int argc, char** argv);

}  // namespace hull
