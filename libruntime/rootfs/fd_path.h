#pragma once

#include <charconv>
#include <cstring>

namespace hull::rootfs {

// "/proc/self/fd/N": the way to give mount(2) a descriptor. Only as good as /proc is, see
// require_procfs.
class FdPath {
 public:
  explicit FdPath(int fd) noexcept {
    std::memcpy(text_, kPrefix, sizeof kPrefix);
    *std::to_chars(text_ + sizeof kPrefix - 1, text_ + sizeof text_ - 1, fd).ptr = '\0';
  }
  operator const char*() const noexcept { return text_; }

 private:
  static constexpr char kPrefix[] = "/proc/self/fd/";
  char text_[sizeof kPrefix + 12];
};

// Throws Error unless /proc/self/fd is a procfs (CVE-2026-115521: an image can shape its own
// /proc).
void require_procfs();

}  // namespace hull::rootfs
