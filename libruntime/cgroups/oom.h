#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "libruntime/system/fd.h"

namespace hull::cgroups {

// Tells of each process of a container that the kernel kills for lack of memory, once. By v1's
// eventfd on memory.oom_control, or inotify on v2's memory.events; both only wake, the kernel's own
// count (oom_kill) says how many there were. Not thread-safe.
class OomWatch {
 public:
  // `paths` are runc's cgroup_paths. Throws Error when the container has no memory cgroup.
  explicit OomWatch(const std::map<std::string, std::string>& paths);
  ~OomWatch();
  OomWatch(OomWatch&&) noexcept;
  OomWatch& operator=(OomWatch&&) noexcept;

  // Readable (POLLIN) when take() may have news.
  [[nodiscard]] int fd() const;
  // How many were killed since the last call. With the OOM killer switched off (v1): how often
  // memory ran out. Asked after the container's end, too, as long as its cgroup is there.
  uint64_t take();

  class Source;  // of either version

 private:
  std::unique_ptr<Source> source_;
};

}  // namespace hull::cgroups
