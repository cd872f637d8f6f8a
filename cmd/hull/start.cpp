#include <cerrno>

#include "cmd/hull/command.h"
#include "cmd/hull/notify.h"
#include "libruntime/factory.h"
#include "libruntime/system/error.h"
#include "libruntime/system/syscalls.h"

namespace hull::cmd {
namespace {

int start(const Context& context) {
  Container container = Factory(context.globals.root).load(context.id());
  auto notify = NotifyProxy::from_environment(context.globals.root, context.id());
  // Without the directory create was not told of a service manager, and the container can't reach
  // us.
  if (notify && !notify->has_directory()) notify.reset();
  if (!notify) {
    container.exec();
    return 0;
  }
  notify->bind();
  const pid_t pid = container.state()->init_pid;
  const Fd init(sys::pidfd_open(pid, 0));
  if (!init && errno != ESRCH)
    throw Error("cannot watch the container's init", "pidfd_open", errno);
  container.exec();
  if (init) notify->forward_until_ready(init.get(), pid);
  return 0;
}

}  // namespace

extern constexpr Command start_command{"start",
                                       "executes the user defined process in a created container",
                                       "<container-id>",
                                       "Runs the program of a container that \"hull create\" made.",
                                       {},
                                       1,
                                       1,
                                       Positionals::mixed,
                                       start};

}  // namespace hull::cmd
