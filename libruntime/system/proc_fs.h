#pragma once

#include <string>
#include <string_view>

#include "libruntime/system/fd.h"

namespace hull {

// A procfs that an image cannot have shaped (CVE-2025-52881): its root was mounted by this process
// or verified, and nothing below it is reached through another mount or a magic link. Everything
// that hull reads or writes below /proc once a container's mounts exist goes through one.
//
// All functions throw Error.
class ProcFs {
 public:
  // The best there is: a detached instance of our own (fsopen(2); only process directories unless
  // `whole`, which sysctls need), else a detached clone of /proc, else host(). A detached mount
  // costs some 20 us to make and an RCU grace period (40-130 us) when its descriptor closes.
  static ProcFs open(bool whole);
  // The caller's /proc, verified, for 2 us. As safe as the others where openat2(2) exists; only for
  // a process whose mount namespace is still the host's.
  static ProcFs host();

  // Opens with O_CLOEXEC `path`, relative to the root ("thread-self/attr/exec"). The kernel
  // resolves "self" and "thread-self" in the pid namespace of this procfs; magic links, ".." above
  // the root and other mounts are refused.
  [[nodiscard]] Fd open_file(const std::string& path, int flags) const;
  // One write(2), as the kernel's files ask; a short one is an error.
  void write(const std::string& path, std::string_view content) const;
  // Opens anew what `fd` of this process refers to, for instance an O_PATH descriptor for writing.
  // May block as open(2) does (FIFO).
  [[nodiscard]] Fd reopen(int fd, int flags) const;

 private:
  ProcFs(Fd root, bool detached) noexcept : root_(std::move(root)), detached_(detached) {}
  [[nodiscard]] Fd walk(const std::string& path, int flags) const;

  Fd root_;
  bool detached_;  // nobody can mount on it
};

}  // namespace hull
