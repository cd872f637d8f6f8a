#include "libruntime/scheduling/priority.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

namespace hull::scheduling {
namespace {

// What `body` returns in a process of its own; 99 when it throws.
int in_child(const std::function<int()>& body) {
  const pid_t pid = fork();
  if (pid == 0) {
    try {
      _exit(body());
    } catch (const Error&) {
      _exit(99);
    }
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

configs::Scheduler policy(int number) {
  configs::Scheduler out;
  out.policy = number;
  return out;
}

}  // namespace

TEST_CASE("A process gets policy, nice value and reset-on-fork", "[scheduling]") {
  CHECK(in_child([] {
          configs::Scheduler batch = policy(SCHED_BATCH);
          batch.nice = 7;
          batch.flags = {0x01};
          set_scheduler(0, batch);
          const bool right = sched_getscheduler(0) == (SCHED_BATCH | SCHED_RESET_ON_FORK) &&
                             getpriority(PRIO_PROCESS, 0) == 7;
          return right ? 0 : 1;
        }) == 0);
}

TEST_CASE("An error says policy, call, field, and what it takes", "[scheduling]") {
  try {
    set_scheduler(0, policy(4));  // SCHED_ISO
    FAIL("the kernel has SCHED_ISO");
  } catch (const Error& e) {
    CHECK(std::string(e.what()) ==
          "cannot set the scheduler SCHED_ISO: sched_setattr: invalid argument "
          "(/process/scheduler); no released kernel has SCHED_ISO");
  }
  if (geteuid() != 0) HULL_SKIP("needs root");
  CHECK(in_child([] {
          if (setresuid(1000, 1000, 1000) != 0) return 1;
          configs::Scheduler fifo = policy(SCHED_FIFO);
          fifo.priority = 1;
          try {
            set_scheduler(0, fifo);
          } catch (const Error& e) {
            return e.code() == EPERM && e.hint().find("CAP_SYS_NICE") != std::string::npos ? 0 : 2;
          }
          return 3;
        }) == 0);
}

TEST_CASE("A process gets its I/O class and priority", "[scheduling]") {
  CHECK(in_child([] {
          set_io_priority(0, {2, 6});
          const long best_effort = syscall(SYS_ioprio_get, 1, 0);
          set_io_priority(0, {3, 0});
          const long idle = syscall(SYS_ioprio_get, 1, 0);
          return best_effort == (2 << 13 | 6) && idle == 3 << 13 ? 0 : 1;
        }) == 0);
}

}  // namespace hull::scheduling
