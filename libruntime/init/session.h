#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "libruntime/plan/channel.h"
#include "libruntime/plan/hooks.h"
#include "libruntime/plan/plan.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/proc_fs.h"

namespace hull::init {

// What hull-init works with: the Plan, its descriptors and the way back to the launcher.
struct Session {
  Session(plan::Plan the_plan, plan::Channel the_channel)
      : plan(std::move(the_plan)), channel(std::move(the_channel)) {}

  plan::Plan plan;
  plan::Channel channel;
  Fd memory_tasks;
  std::vector<Fd> namespaces;  // beside plan.namespace_fds
  Fd pidfd;
  Fd root;          // O_PATH, until it has become the root
  Fd exec_fifo;     // O_PATH
  Fd start_answer;  // exec.fifo opened for writing: where errors go once `start` reads it
  Fd hook_stdout, hook_stderr;
  std::optional<ProcFs> proc;
  bool second_to_come = false;  // another process will be the program's

  // The trusted procfs, made at the first call. `whole`: with /proc/sys.
  ProcFs& trusted_proc();
  [[nodiscard]] plan::HookOutput hook_output() const {
    return {hook_stdout.get(), hook_stderr.get()};
  }
  // Waits for the launcher's `proceed` and gives the descriptors that came with it; ends this
  // process when the launcher is gone.
  std::vector<Fd> wait_to_proceed();
};

}  // namespace hull::init
