#include "libruntime/launch/init_executable.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <cerrno>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/syscalls.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

namespace hull::launch {
namespace {

constexpr char kSelf[] = "/proc/self/exe";

Fd clone_own_mount() {
  constexpr unsigned kFlags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
  mount_attr readonly{};
  readonly.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
  Fd clone(sys::open_tree_attr(AT_FDCWD, kSelf, kFlags, readonly));
  if (clone) return clone;
  clone.reset(sys::open_tree(AT_FDCWD, kSelf, kFlags));
  if (clone && sys::mount_setattr(clone.get(), "", AT_EMPTY_PATH, readonly) != 0) clone.reset();
  return clone;
}

Fd sealed_copy() {
  const Fd self = open_or_throw(AT_FDCWD, kSelf, O_RDONLY);
  struct stat info {};
  if (fstat(self.get(), &info) != 0)
    throw Error("cannot look at the runtime's binary", "fstat", errno);
  // MFD_EXEC is needed where vm.memfd_noexec is set, unknown before Linux 6.3.
  Fd copy(memfd_create("hull-init", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC));
  if (!copy && errno == EINVAL)
    copy.reset(memfd_create("hull-init", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!copy) throw Error("cannot copy the runtime's binary", "memfd_create", errno);
  for (off_t left = info.st_size; left > 0;) {
    const ssize_t sent = sendfile(copy.get(), self.get(), nullptr, static_cast<size_t>(left));
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) throw Error("cannot copy the runtime's binary", "sendfile", errno);
    left -= sent;
  }
  if (fcntl(copy.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    throw Error("cannot seal the copy of the runtime's binary", "fcntl", errno);
  return copy;
}

}  // namespace

Fd open_init_executable() {
  Fd clone = clone_own_mount();
  return clone ? std::move(clone) : sealed_copy();
}

}  // namespace hull::launch
