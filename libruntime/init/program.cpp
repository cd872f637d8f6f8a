#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>

#include "libruntime/init/program_error.h"
#include "libruntime/init/steps.h"
#include "libruntime/plan/hooks.h"
#include "libruntime/system/command.h"
#include "libruntime/system/error.h"
#include "libruntime/system/log.h"

namespace hull::init {
namespace {

// prctl(2): a change of user takes it away, so it comes after that.
void die_with_launcher(const Session& session) {
  if (session.plan.parent_death_signal == 0) return;
  if (prctl(PR_SET_PDEATHSIG, session.plan.parent_death_signal, 0, 0, 0) != 0)
    throw Error("cannot tie this process to its parent", "prctl", errno);
  // It may have died before. Across a PID namespace getppid(2) can't tell, the channel can.
  pollfd launcher{session.channel.fd(), POLLIN, 0};
  if (poll(&launcher, 1, 0) > 0 && (launcher.revents & POLLHUP) != 0) _exit(1);
}

// Says `created`; with exec.fifo then blocks until `start` reads it (DESIGN 3).
void wait_for_start(Session& session) {
  session.channel.send(plan::MessageType::created);
  if (session.plan.wait_when_created) session.wait_to_proceed();
  if (session.plan.start_now) return;
  // The launcher is about to leave: no more log lines to it.
  log::set_sink(nullptr);
  session.channel.close();
  session.start_answer =
      session.trusted_proc().reopen(session.exec_fifo.get(), O_WRONLY | O_CLOEXEC);
  session.exec_fifo.reset();
  if (write(session.start_answer.get(), "0", 1) != 1)
    throw Error("cannot answer the start", "write exec.fifo", errno);
}

}  // namespace

void start_program(Session& session) {
  const plan::Plan& plan = session.plan;
  const plan::Process& process = plan.process;
  std::string path;
  if (plan.has_process) path = find_program(process.args[0], process.env);
  // As late as can be (config-linux.md#seccomp); but a listener needs the launcher, which leaves at
  // the start.
  const bool early = process.no_new_privileges && process.seccomp && process.seccomp->notifies;
  if (early) load_seccomp(session);
  die_with_launcher(session);
  wait_for_start(session);
  if (!plan.has_process)
    throw Error("cannot start: the configuration has no process").field("/process");
  if (!plan.start_container_hooks.empty())
    plan::run_hooks(plan.start_container_hooks, "startContainer",
                    plan::with_pid(plan.created_state, getpid()), false, session.hook_output());
  const auto argv = c_strings(process.args);
  const auto envp = c_strings(process.env);
  if (process.no_new_privileges && !early) load_seccomp(session);
  execve(path.c_str(), argv.data(), envp.data());
  throw explain_exec_failure(process.args[0], path, errno);
}

}  // namespace hull::init
