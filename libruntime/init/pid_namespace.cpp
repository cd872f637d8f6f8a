#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "libruntime/init/steps.h"
#include "libruntime/security/seccomp.h"
#include "libruntime/system/error.h"

// A process of the container with CAP_SYS_PTRACE can open all that another one in its PID namespace
// has, and make it do what it wants (ptrace(2)): CVE-2016-9962, CVE-2019-5736. So exec prepares
// everything where the container can't see it, and enters when there is nothing left to be had.
namespace hull::init {
namespace {

// Not clone3(2), which profiles answer with ENOSYS because they can't look at its flags.
constexpr unsigned long kFlags = CLONE_PARENT;

}  // namespace

bool can_enter_last(const plan::Plan& plan) {
  // There nobody may trace what was executed outside of it, and /proc/self has to be this process.
  if (plan.joined_user_namespace) return false;
  const plan::Process& process = plan.process;
  // SCHED_DEADLINE does not fork, and another policy may not be passed on (sched(7)).
  if (process.scheduler) return false;
  // One more process of the user's, for a moment.
  const auto counts = [](const configs::Rlimit& limit) { return limit.type == RLIMIT_NPROC; };
  if (process.uid != 0 && std::ranges::any_of(process.rlimits, counts)) return false;
  if (!process.seccomp || process.no_new_privileges) return true;  // the filter comes after it
  const configs::SeccompProgram& filter = *process.seccomp;
  return security::allows(filter, SYS_clone, {kFlags}) &&
         security::allows(filter, SYS_setsid, {}) && security::allows(filter, SYS_exit_group, {}) &&
         (!process.terminal || security::allows(filter, SYS_ioctl, {0, TIOCSCTTY}));
}

void enter_pid_namespace(Session& session) {
  const long pid = syscall(SYS_clone, kFlags, 0, 0, 0, 0);
  if (pid < 0) throw Error("cannot enter the container's PID namespace", "clone", errno);
  if (pid > 0) _exit(0);
  session.channel.send_number(plan::MessageType::second, 0);
  if (!session.second_to_come) return;
  if (setsid() < 0) throw Error("cannot start a session", "setsid", errno);
  if (session.plan.process.terminal) take_terminal();
}

}  // namespace hull::init
