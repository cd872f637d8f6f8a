#pragma once

#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>

// System calls that the libc lacks or hides, with the kernel's own return convention turned into
// the libc's: -1 and errno. Nothing here throws or allocates: safe between clone and execve.
// <linux/mount.h> and <sys/mount.h> clash in older glibc: include this header, never <sys/mount.h>.

// Declared here for the same reason; flags are MS_* of <linux/mount.h>.
extern "C" {
int mount(const char* source, const char* target, const char* type, unsigned long flags,
          const void* data) noexcept;
int umount2(const char* target, int flags) noexcept;
}

#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace hull::sys {

inline int openat2(int dir, const char* path, uint64_t flags, uint64_t mode,
                   uint64_t resolve) noexcept {
  open_how how{flags, mode, resolve};
  return static_cast<int>(syscall(SYS_openat2, dir, path, &how, sizeof how));
}

inline int open_tree(int dir, const char* path, unsigned flags) noexcept {
  return static_cast<int>(syscall(SYS_open_tree, dir, path, flags));
}

inline int move_mount(int from_dir, const char* from, int to_dir, const char* to,
                      unsigned flags) noexcept {
  return static_cast<int>(syscall(SYS_move_mount, from_dir, from, to_dir, to, flags));
}

inline int mount_setattr(int dir, const char* path, unsigned flags, mount_attr attr) noexcept {
  return static_cast<int>(syscall(SYS_mount_setattr, dir, path, flags, &attr, sizeof attr));
}

// open_tree(2) and mount_setattr(2) in one, since Linux 6.15; `flags` as open_tree's, and
// AT_RECURSIVE counts for both.
inline int open_tree_attr(int dir, const char* path, unsigned flags, mount_attr attr) noexcept {
  return static_cast<int>(syscall(467, dir, path, flags, &attr, sizeof attr));
}

inline int fsopen(const char* type, unsigned flags) noexcept {
  return static_cast<int>(syscall(SYS_fsopen, type, flags));
}

inline int fsconfig(int fs, unsigned command, const char* key, const void* value,
                    int aux) noexcept {
  return static_cast<int>(syscall(SYS_fsconfig, fs, command, key, value, aux));
}

inline int fsmount(int fs, unsigned flags, unsigned attributes) noexcept {
  return static_cast<int>(syscall(SYS_fsmount, fs, flags, attributes));
}

inline int pivot_root(const char* new_root, const char* put_old) noexcept {
  return static_cast<int>(syscall(SYS_pivot_root, new_root, put_old));
}

// fork(2) with clone3(2)'s arguments: no stack of its own, returns 0 in the child.
inline pid_t clone3(clone_args* args) noexcept {
  return static_cast<pid_t>(syscall(SYS_clone3, args, sizeof *args));
}

inline int execveat(int dir, const char* path, char* const* argv, char* const* envp,
                    int flags) noexcept {
  return static_cast<int>(syscall(SYS_execveat, dir, path, argv, envp, flags));
}

inline int pidfd_open(pid_t pid, unsigned flags) noexcept {
  return static_cast<int>(syscall(SYS_pidfd_open, pid, flags));
}

inline int pidfd_send_signal(int pidfd, int signal) noexcept {
  return static_cast<int>(syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

// The kernel's default action, also for the signals that the C library keeps to itself (32, 33):
// its own functions refuse those.
inline int default_signal(int signal) noexcept {
  const struct {
    void (*handler)(int);
    unsigned long flags, restorer, mask;
  } action{};
  return static_cast<int>(syscall(SYS_rt_sigaction, signal, &action, nullptr, sizeof action.mask));
}

inline int close_range(unsigned first, unsigned last, unsigned flags) noexcept {
  return static_cast<int>(syscall(SYS_close_range, first, last, flags));
}

}  // namespace hull::sys
