#include "libruntime/cgroups/watch.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/syscalls.h"

namespace hull::cgroups {
namespace {

constexpr size_t kBatch = 256;  // descriptors at a time

// False when the time is over.
bool poll_one(int fd, short events, const Deadline& deadline) {
  for (;;) {
    pollfd one{fd, events, 0};
    const int ready = poll(&one, 1, deadline.remaining_ms());
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) throw Error("cannot wait for a cgroup", "poll", errno);
  }
}

}  // namespace

EventsFile::EventsFile(const std::string& dir) : path_(dir + "/cgroup.events") {
  fd_.reset(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd_ && errno != ENOENT) throw Error("cannot open " + quote(path_), "open", errno);
}

std::string EventsFile::read() const {
  if (!fd_) return "";
  std::array<char, 512> buffer;
  ssize_t got = 0;
  do {
    got = pread(fd_.get(), buffer.data(), buffer.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got >= 0) return {buffer.data(), static_cast<size_t>(got)};
  if (errno == ENODEV) return "";
  throw Error("cannot read " + quote(path_), "read", errno);
}

bool EventsFile::wait(const Deadline& deadline) const {
  return poll_one(fd_.get(), POLLPRI, deadline);
}

bool wait_until_unpopulated(const std::string& dir, const Deadline& deadline) {
  const EventsFile events(dir);
  while (has_line(events.read(), "populated 1"))
    if (!events.wait(deadline)) return false;
  return true;
}

bool wait_until_dead(const std::vector<Fd>& pidfds, const Deadline& deadline) {
  return std::ranges::all_of(pidfds,
                             [&](const Fd& one) { return poll_one(one.get(), POLLIN, deadline); });
}

bool wait_until_dead(const std::vector<pid_t>& pids, const Deadline& deadline) {
  for (size_t start = 0; start < pids.size(); start += kBatch) {
    std::vector<Fd> pidfds;
    for (size_t i = start; i < std::min(pids.size(), start + kBatch); ++i) {
      Fd fd(sys::pidfd_open(pids[i], 0));
      if (!fd && errno == ESRCH) continue;
      if (!fd) throw Error("cannot watch process " + std::to_string(pids[i]), "pidfd_open", errno);
      pidfds.push_back(std::move(fd));
    }
    if (!wait_until_dead(pidfds, deadline)) return false;
  }
  return true;
}

}  // namespace hull::cgroups
