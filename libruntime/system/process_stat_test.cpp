#include "libruntime/system/process_stat.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "libruntime/system/catch.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/syscalls.h"

using namespace hull;

TEST_CASE("How a process ended is known from its pidfd, once it is reaped") {
  const pid_t pid = fork();
  if (pid == 0) {
    pause();
    _exit(0);
  }
  const Fd pidfd(sys::pidfd_open(pid, 0));
  REQUIRE(pidfd);
  CHECK_FALSE(reaped_status(pidfd.get()));
  kill(pid, SIGKILL);
  REQUIRE(waitpid(pid, nullptr, 0) == pid);
  const auto status = reaped_status(pidfd.get());
  if (!status) HULL_SKIP("the kernel (before 6.15) does not tell");
  CHECK(WIFSIGNALED(*status));
  CHECK(WTERMSIG(*status) == SIGKILL);
}

TEST_CASE("The name of a process may hold blanks and parentheses") {
  const auto stat =
      parse_process_stat("7 (a) (b c) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 0 0 0");
  REQUIRE(stat);
  CHECK(stat->name == "a) (b c");
  CHECK(stat->start_time == 4242);
}
