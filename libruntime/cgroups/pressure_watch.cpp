#include "libruntime/cgroups/pressure_watch.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "libruntime/cgroups/event_control.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::cgroups {
namespace {

struct Level {
  const char* v1;
  // Microseconds of stall within a window, which without CAP_SYS_RESOURCE must be of 2 s.
  const char* trigger;
};

Level level_of(PressureLevel level) {
  switch (level) {
    case PressureLevel::low:
      return {"low", "some 140000 2000000"};
    case PressureLevel::medium:
      return {"medium", "some 200000 2000000"};
    case PressureLevel::critical:
      break;
  }
  return {"critical", "full 140000 2000000"};
}

Fd open_trigger(const std::string& dir, const std::string& trigger) {
  const std::string path = dir + "/memory.pressure";
  Fd fd(open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  // The final zero belongs to it.
  if (fd && write(fd.get(), trigger.c_str(), trigger.size() + 1) >= 0) return fd;
  const int code = errno;
  Error error("cannot watch memory pressure in " + quote(path), fd ? "write" : "open", code);
  if (code == EOPNOTSUPP || code == ENOENT)
    error.set_hint("the kernel keeps no account of it: CONFIG_PSI, or boot with psi=1");
  throw error;
}

}  // namespace

PressureWatch::PressureWatch(const std::map<std::string, std::string>& paths, PressureLevel level)
    : events_(POLLIN) {
  const Level wanted = level_of(level);
  if (const auto v1 = paths.find("memory"); v1 != paths.end()) {
    fd_ = register_event(v1->second, "memory.pressure_level", wanted.v1);
  } else if (const auto v2 = paths.find(""); v2 != paths.end()) {
    fd_ = open_trigger(v2->second, wanted.trigger);
    events_ = POLLPRI;
  } else {
    throw Error("cannot watch memory pressure: the container has no memory cgroup");
  }
}

void PressureWatch::clear() const {
  if (events_ != POLLIN) return;  // of a trigger poll(2) itself has taken the news
  uint64_t count = 0;
  if (read(fd_.get(), &count, sizeof count) < 0 && errno != EAGAIN)
    throw Error("cannot watch memory pressure", "read", errno);
}

}  // namespace hull::cgroups
