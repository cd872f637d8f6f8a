#include "libruntime/cgroups/event_control.h"

#include <fcntl.h>
#include <sys/eventfd.h>

#include <cerrno>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::cgroups {

Fd register_event(const std::string& dir, std::string_view file, std::string_view arguments) {
  Fd event(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!event) throw Error("cannot watch " + quote(file), "eventfd", errno);
  const Fd watched = open_or_throw(AT_FDCWD, dir + "/" + std::string(file), O_RDONLY);
  std::string line = std::to_string(event.get()) + " " + std::to_string(watched.get());
  if (!arguments.empty()) line.append(" ").append(arguments);
  write_existing(dir + "/cgroup.event_control", line);
  return event;
}

}  // namespace hull::cgroups
