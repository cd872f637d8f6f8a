#pragma once

namespace hull::init {

// argv[0] of hull-init; argv[1] is the number of preserved descriptors: 3 and up. The channel is
// the next.
inline constexpr char kName[] = "hull-init";
// Its name in /proc/[pid]/comm, until execve gives it the program's.
inline constexpr char kProcessName[] = "hull:[INIT]";

// The life of the container's first process (or of one that joins it): never returns. Errors go to
// the launcher, or after the start to whoever started.
[[noreturn]] void run(unsigned preserve_fds);

}  // namespace hull::init
