#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libruntime/checkpoint/options.h"
#include "libruntime/configs/config.h"
#include "libruntime/error.h"
#include "libruntime/process.h"
#include "libruntime/stats.h"
#include "libruntime/status.h"

// The public face of libruntime: a Factory (factory.h) makes and finds containers; a Process
// (process.h) runs in one. Every call throws hull::Error (error.h).
namespace hull {

// One container. Any number of threads may use one at once, and different ones: what changes it is
// done one after the other, also between processes (a lock in its state directory). Two objects of
// one container know nothing of each other but what is stored.
class Container {
 public:
  Container(Container&& other) noexcept;
  Container& operator=(Container&& other) noexcept;
  ~Container();  // the container itself stays

  [[nodiscard]] std::string id() const;
  [[nodiscard]] configs::Config config() const;
  // What is stored of it, as this object last knew it.
  [[nodiscard]] std::shared_ptr<const State> state() const;
  // Its directory below the state root.
  [[nodiscard]] const std::string& directory() const;
  // The bundle that it was made from; empty when its configuration names none.
  [[nodiscard]] std::string bundle() const;
  // The name of the user who owns the container's state; empty when it has none.
  [[nodiscard]] std::string owner() const;

  // Read anew from /proc and the cgroup at each call.
  [[nodiscard]] Status status() const;
  // runc's state output, indented by two blanks, without a final newline: ociVersion, id, pid,
  // status, bundle, rootfs, created, annotations, owner. runc names no owner but in lists.
  [[nodiscard]] std::string oci_state(std::string_view owner = {}) const;

  // In a stopped container: makes it and its init, which waits for exec(); when that fails nothing
  // stays of the container. Else: starts `process` beside the init, at once.
  // Throws container_paused (without options.ignore_paused), console_exists.
  void start(Process& process);
  // start() without a program: exec() will fail. For configurations without "process".
  void start(const LaunchOptions& options);
  // start() and exec() in one, without exec.fifo: returns once the program runs (execve succeeded)
  // and the poststart hooks are done.
  void run(Process& process);
  // Lets the init that start() made run its program. Returns after execve succeeded (or the init
  // ended after it) and the poststart hooks are done; throws what the startContainer hooks or
  // execve met. A failing hook ends the container: it is deleted then.
  void exec();

  // Writes its processes to images by CRIU. Unless the options keep them they are gone then: the
  // container is stopped, though its init may be a zombie until its parent takes it. On failure it
  // goes on as before, and the error has CRIU's own words. Throws container_not_running.
  void checkpoint(const CriuOptions& options);
  // In a container that is only claimed: makes it from the images of a checkpoint, maybe of another
  // host, that was made from the same configuration. Returns when its processes run again;
  // `process` is the handle on the init then, and of its members only `terminal` and `options`
  // count. When it fails nothing stays of the container, and the error has CRIU's own words.
  void restore(Process& process, const CriuOptions& criu);

  // Sends a signal to the init (to all processes with `all`, or on SIGKILL without an own pid
  // namespace). Throws container_not_running when it is stopped and not `all`.
  void signal(int number, bool all = false);
  // Throw container_not_running and container_not_paused.
  void pause();
  void resume();
  // The pids on the host of all its processes, of sub-cgroups, too.
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
  // hooks; the state directory goes last. Nothing when it is deleted already by this object.
  // Throws container_not_stopped.
  void destroy(bool force = false);

 private:
  friend class Factory;
  class Impl;
  explicit Container(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// To be called first in main: when this process was started as a container's init it never returns.
// A container's init is the program that uses the library, executed anew through a read-only clone
// of its mount, with argv[0] "hull-init".
void init_if_asked(int argc, char** argv);

}  // namespace hull
