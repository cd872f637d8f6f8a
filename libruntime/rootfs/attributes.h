#pragma once

#include <cstdint>

#include "libruntime/system/syscalls.h"

// What a mount allows (MOUNT_ATTR_*, mount_setattr(2)), as opposed to what its file system is.
namespace hull::rootfs {

struct Attributes {
  uint64_t set = 0;
  uint64_t clear = 0;

  [[nodiscard]] bool empty() const { return set == 0 && clear == 0; }
};

// As mount_setattr(2) takes them.
mount_attr to_kernel(Attributes attributes);

inline constexpr uint64_t kPropagationFlags = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;
inline constexpr uint64_t kAccessTimeFlags = MS_NOATIME | MS_STRICTATIME | MS_RELATIME;
// The MS_* flags that a bind mount can have of its own.
inline constexpr uint64_t kMountFlags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC |
                                        MS_NODIRATIME | MS_NOSYMFOLLOW | kAccessTimeFlags;

// From MS_* flags that are asked for and MS_* flags that are switched off. Flags of file systems
// (MS_SYNCHRONOUS) are left out.
Attributes attributes_of(uint64_t flags, uint64_t clear_flags);

// "atime" and "nostrictatime" switch one mode off and name no other: nothing changes unless `mount`
// (any descriptor on it) is in that mode; then it becomes relatime, the kernel's default. Throws
// Error.
void resolve_access_time(Attributes& attributes, uint64_t clear_flags, int mount);

// Applies them to the mount whose root is `mount`, or to all of its tree. An attached mount is
// remounted where the kernel (before 5.12) lacks mount_setattr. Throws Error: nothing is left out
// silently.
void set_attributes(int mount, Attributes attributes, bool recursive);
// The same without the remount, so for a mount that is not attached too: false where the kernel
// refuses or lacks the call.
bool try_set_attributes(int mount, Attributes attributes, bool recursive);

// mount(2) before Linux 5.10 drops MS_NOSYMFOLLOW without a word: throws Error when `mount` lacks
// it.
void require_nosymfollow(int mount);

// One of MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE, with MS_REC for the tree. Throws Error.
void set_propagation(int mount, uint64_t propagation);

}  // namespace hull::rootfs
