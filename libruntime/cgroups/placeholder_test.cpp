#include "libruntime/cgroups/placeholder.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "libruntime/system/catch.h"

using hull::cgroups::Placeholder;

TEST_CASE("a placeholder lives as long as its object, also while closing is put off",
          "[cgroups][systemd]") {
  const hull::FdCloseBatch batch;
  pid_t pid = 0;
  {
    const Placeholder first;
    pid = first.pid();
    REQUIRE(kill(pid, 0) == 0);
    const Placeholder second;  // holds nothing of the first
    REQUIRE(second.pid() != pid);
  }
  CHECK(kill(pid, 0) == -1);
  CHECK(errno == ESRCH);
}
